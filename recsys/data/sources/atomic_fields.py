"""What an atomic file may hold: how its columns are named, and what makes a field of one faulty."""

from collections.abc import Callable, Iterable
from pathlib import Path

from recsys.data.sources.columns import encoding_fault, id_fault, number_fault

KINDS = ("token", "float", "token_seq", "float_seq")
IDS = ("user_id", "item_id")  # RecBole's own names of columns that may not be empty
_NO_NAME = frozenset(':"\t\r\n\0\ufeff')  # what a name may not hold; a colon means a header with other delimiters

Fault = Callable[[str], str | None]


def kinds_of(path: Path, header: Iterable[str]) -> dict[str, str]:
    """The type of each column by its name. ValueError naming the first column that is not NAME:TYPE, or is twice."""
    kinds: dict[str, str] = {}
    for position, field in enumerate(header, start=1):
        name, _, kind = field.rpartition(":")
        place = f"{path}, line 1, column {position} ({field!r})"
        if kind not in KINDS or not name or not _NO_NAME.isdisjoint(name) or encoding_fault(name):
            raise ValueError(
                f"{place}: a column must be named NAME:TYPE with TYPE one of {', '.join(KINDS)}, tabs between"
            )
        if name in kinds:
            raise ValueError(f"{place}: there is a column {name!r} before it; rename one of them")
        kinds[name] = kind
    return kinds


def fault_of(name: str, kind: str) -> Fault:
    """What, if anything, is wrong with a field of the column."""
    return _id_fault if name in IDS and kind == "token" else _FAULT[kind]


def _token_fault(text: str) -> str | None:
    return f"value {text!r} holds a NUL byte" if "\0" in text else None


def _id_fault(text: str) -> str | None:
    return id_fault(text) or _token_fault(text)


def _float_fault(text: str) -> str | None:
    return number_fault(text) if text else None


def _floats_fault(text: str) -> str | None:
    return next(filter(None, map(number_fault, text.split())), None)


_FAULT: dict[str, Fault] = {
    "token": _token_fault,
    "float": _float_fault,
    "token_seq": _token_fault,
    "float_seq": _floats_fault,
}
