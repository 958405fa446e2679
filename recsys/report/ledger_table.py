"""The ledger as a table for a terminal, whatever its width."""

import re
from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

NAME, TIME = "name", "finished_at"
FOREMOST = (NAME, "test/ndcg@10", "study", "data", "seed", "note", TIME, "val/ndcg@10", "status")  # the last to go
GAP = 2  # between two columns
SHORT_TEXT = 18  # characters that are never folded
LEAST = 24  # a longer text's column has no fewer

Lines = Sequence[Mapping[str, str]]


def fitting(
    lines: Lines, columns: Sequence[str], *, width: int, foremost: Sequence[str] = FOREMOST
) -> tuple[list[str], list[str]]:
    """Those of the columns that a terminal of that width has room for, and those that are left out; in their order.

    foremost: the last to be left out, the first of them the very last.
    """
    room, kept = width + GAP, set()
    for name in [*(one for one in foremost if one in columns), *(one for one in columns if one not in foremost)]:
        room -= _least(lines, name) + GAP
        if room >= 0 or not kept:
            kept.add(name)
        else:
            break  # what matters less stays away too, however narrow
    return [one for one in columns if one in kept], [one for one in columns if one not in kept]


def table(lines: Lines, columns: Sequence[str], *, width: int) -> Table:
    """A line per run; the room that is left is for the texts that need it, the name first."""
    widths = {name: _least(lines, name) for name in columns}
    spare = width - sum(widths.values()) - GAP * (len(columns) - 1)
    for name in sorted(columns, key=lambda one: one != NAME):
        more = min(max(spare, 0), _natural(lines, name) - widths[name])
        widths[name], spare = widths[name] + more, spare - more
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    for name in columns:
        is_number = not any(sort_key(line[name])[0] for line in lines if line[name])
        shown.add_column(name, justify="right" if is_number else "left", overflow="fold", width=widths[name])
    for line in lines:
        shown.add_row(*(Text(_text(name, line[name])) for name in columns))
    return shown


def sort_key(text: str) -> tuple[bool, float, str]:
    """Numbers by value and before words, those by letter."""
    try:
        return False, float(text), ""
    except ValueError:
        return True, 0.0, text


def _least(lines: Lines, name: str) -> int:
    natural = _natural(lines, name)
    return natural if natural <= SHORT_TEXT else max(len(name), min(natural, LEAST))


def _natural(lines: Lines, name: str) -> int:
    return max(len(name), *(len(_text(name, line[name])) for line in lines), 1)


def _text(name: str, value: str) -> str:
    """A time to the minute; a name with room to break after each override."""
    if name == TIME:
        return value[:16].replace("T", " ")
    return re.sub(",(?! )", ", ", value) if name == NAME else value
