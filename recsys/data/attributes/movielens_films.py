"""Lines of the files in which MovieLens describes its films."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from recsys.data.sources.delimited import open_text

PATTERNS = ("movies.dat", "movies.csv", "u.item")
# The last columns of u.item, 0 or 1 each, in the order of u.genre.
GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
_SURROGATE = re.compile("[\udc80-\udcff]")  # what `open_text` makes of bytes that are not UTF-8


class Film(NamedTuple):
    """What a line says."""

    item: str
    title: str
    genres: str  # separated by |


def films(path: Path) -> Iterator[Film]:
    """The films of `movies.dat` (1M, 10M), `movies.csv` (20M and later) or `u.item` (100K), told apart by the ending.

    ValueError naming file and line where one has another number of columns, or a flag that is none.
    """
    rows_of = _ROWS_OF.get(path.suffix, _comma_separated)
    with open_text(path) as file:
        for line, row in rows_of(file):
            try:
                yield _film(row, _NAMES.get(path.suffix, ("id", "title", "genres")))
            except ValueError as error:
                raise ValueError(f"{path}, line {line}: {error}; fix the line") from error


def _film(row: Sequence[str], names: Sequence[str]) -> Film:
    if len(row) != len(names):
        raise ValueError(f"expected {len(names)} columns ({', '.join(names)}), found {len(row)}")
    item, title, *rest = map(_as_latin, row)
    return Film(item, title, rest[0] if len(rest) == 1 else "|".join(_flagged(rest[-len(GENRES) :])))


def _flagged(flags: Sequence[str]) -> list[str]:
    for genre, flag in zip(GENRES, flags, strict=True):
        if flag not in ("0", "1"):
            raise ValueError(f"the column {genre} must be 0 or 1, got {flag!r}")
    return [genre for genre, flag in zip(GENRES, flags, strict=True) if flag == "1"]


def _double_colons(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    return ((number, line.rstrip("\r\n").split("::")) for number, line in enumerate(lines, start=1))


def _bars(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    numbered = ((number, line.rstrip("\r\n")) for number, line in enumerate(lines, start=1))
    return ((number, line.split("|")) for number, line in numbered if line)  # an empty line ends the published file


def _comma_separated(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Below the header."""
    return ((number, row) for number, row in enumerate(csv.reader(lines), start=1) if number > 1)


def _as_latin(text: str) -> str:
    """100K and 1M are in Latin-1, the later sets in UTF-8: bytes that are not UTF-8 have become surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1") if _SURROGATE.search(text) else text


_ROWS_OF = {".dat": _double_colons, ".item": _bars}
_NAMES = {".item": ("id", "title", "release date", "video release date", "address", *GENRES)}
