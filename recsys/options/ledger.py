"""What `recsys ledger` is told: filters on columns, an order, and which columns to show."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path

USAGE = """usage: recsys ledger [COLUMN=PATTERN ...] ['COLUMN>NUMBER' ...] [key=value ...]

  study='loss*' data=ml-1m      lines whose column matches; * and ? stand for anything
  'test/ndcg@10>0.09'           lines whose number is above (>, >=, <, <=)
  sort=-test/ndcg@10            by a column, the smallest first; with - the largest first; as they ended
  last=20                       so many of them: the latest, or with sort the first; all
  columns=name,seed,note        what to show; all; a short choice
  file=outputs/ledger.csv       the ledger

On a terminal a table, of as many columns as it has room for; in a pipe tab-separated columns, all of them."""

SHORT = ("finished_at", "study", "data", "name", "seed", "status", "fit_seconds", "val/ndcg@10", "test/ndcg@10", "note")
DEFAULT = Path("outputs/ledger.csv")
_COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_WORD = re.compile(r"(?P<column>[^=<>]+)(?P<sign>>=|<=|>|<|=)(?P<value>.*)", re.DOTALL)

Line = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A condition on one column."""

    column: str
    holds: Callable[[str], bool]

    def __call__(self, line: Line) -> bool:
        return self.holds(line[self.column])


@dataclass(frozen=True, kw_only=True)
class LedgerOptions:
    """See USAGE. columns: None is a short choice; empty is all."""

    filters: tuple[Filter, ...] = ()
    sort: str | None = None
    descending: bool = False
    last: int | None = None
    columns: tuple[str, ...] | None = None
    file: Path = DEFAULT

    def check(self, lines: Sequence[Line]) -> None:
        """ValueError that names the first column asked for which the ledger has not."""
        known = list(lines[0]) if lines else []
        asked = [one.column for one in self.filters] + [self.sort or ""] + list(self.columns or ())
        for column in asked if known else ():
            if column and column not in known:
                near = get_close_matches(column, known, n=1)
                facts = ", ".join(takewhile(lambda name: "/" not in name, known))
                advice = f"did you mean {near[0]}?" if near else f"its columns are {facts}, and the metrics"
                raise ValueError(f"{self.file} has no column {column}; {advice}")

    def shown(self, lines: Sequence[Line]) -> list[str]:
        """The columns to print; of the short choice those that the ledger has."""
        known: list[str] = list(lines[0] if lines else SHORT)
        if self.columns is None:
            return [name for name in SHORT if name in known]
        return list(self.columns) or known


def options_of(argv: Sequence[str]) -> LedgerOptions:
    """ValueError for what is neither a filter nor a key with a value."""
    filters, given = [], {}
    for word in argv:
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError(f"{word}: write COLUMN=PATTERN, 'COLUMN>NUMBER', sort=, last=, columns= or file=")
        column, sign, value = match.groups()
        if sign == "=" and column in _KEYS:
            given |= _KEYS[column](value)
        else:
            filters.append(Filter(column=column, holds=_condition(word, sign, value)))
    return LedgerOptions(filters=tuple(filters), **given)


def _condition(word: str, sign: str, value: str) -> Callable[[str], bool]:
    compare = _COMPARISONS.get(sign)
    if compare is None:
        return lambda text: fnmatchcase(text, value)
    bound = _number(value)
    if bound is None:
        raise ValueError(f"{word}: {value or 'nothing'} is no number; write 'COLUMN{sign}NUMBER'")
    return lambda text: (number := _number(text)) is not None and compare(number, bound)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _last(value: str) -> dict[str, int]:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError(f"last ({value}) must be a whole number from 1 up")
    return {"last": int(value)}


def _columns(value: str) -> dict[str, tuple[str, ...]]:
    names: Iterable[str] = filter(None, value.split(","))
    return {"columns": () if value == "all" else tuple(names)}


_KEYS: dict[str, Callable[[str], dict]] = {
    "sort": lambda value: {"sort": value.removeprefix("-") or None, "descending": value.startswith("-")},
    "last": _last,
    "columns": _columns,
    "file": lambda value: {"file": Path(value).expanduser()},
}
