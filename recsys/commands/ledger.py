"""`recsys ledger`: the runs that have ended, filtered and sorted."""

import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recsys.options.ledger import USAGE, LedgerOptions, options_of
from recsys.report.ledger import read

SHORT_TEXT = 25  # characters of a column that is never folded; a time has so many
Lines = Sequence[dict[str, str]]


def main(argv: list[str]) -> None:
    """Prints the lines that `argv` asks for: a table on a terminal, tab-separated columns in a pipe."""
    if set(argv) & {"-h", "--help"}:
        print(USAGE)
        return
    options = options_of(argv)
    lines, problems = read(options.file)
    for problem in problems:
        print(problem, file=sys.stderr)
    chosen = choose(lines, options)
    columns = options.shown(lines)
    if sys.stdout.isatty():
        Console().print(table(chosen, columns))
    else:
        print("\n".join("\t".join(row) for row in [columns, *([line[name] for name in columns] for line in chosen)]))


def choose(lines: Lines, options: LedgerOptions) -> list[dict[str, str]]:
    """Those that pass every filter, sorted, the last ones where so many are asked for.

    ValueError that names a column which the ledger has not.
    """
    options.check(lines)
    chosen = [line for line in lines if all(passes(line) for passes in options.filters)]
    if options.sort:
        known = [line for line in chosen if line[options.sort]]
        known.sort(key=lambda line: sort_key(line[options.sort or ""]), reverse=options.descending)
        chosen = known + [line for line in chosen if not line[options.sort]]  # unknown values last either way
        return chosen[: options.last]
    return chosen[-options.last :] if options.last else chosen


def sort_key(text: str) -> tuple[bool, float, str]:
    """Numbers by value and before words, those by letter."""
    try:
        return False, float(text), ""
    except ValueError:
        return True, 0.0, text


def table(lines: Lines, columns: Sequence[str]) -> Table:
    """A line per run; text folds where the terminal is narrow."""
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for name in columns:
        values = [line[name] for line in lines if line[name]]
        is_number = not any(sort_key(value)[0] for value in values)
        is_short = max(map(len, values), default=0) <= SHORT_TEXT
        shown.add_column(name, justify="right" if is_number else "left", overflow="fold", no_wrap=is_short)
    for line in lines:
        shown.add_row(*(Text(line[name]) for name in columns))
    return shown
