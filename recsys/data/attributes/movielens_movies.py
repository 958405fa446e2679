"""Genres, years and titles of MovieLens' films."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from recsys.data.sources.delimited import open_text

NO_GENRES = "(no genres listed)"
YEAR = re.compile(r"\((\d{4})\)\s*$")  # at the end of the title
_SURROGATE = re.compile("[\udc80-\udcff]")  # what `open_text` makes of bytes that are not UTF-8
PATTERNS = ("movies.dat", "movies.csv")


class Film(NamedTuple):
    """One line of the file."""

    item: str
    title: str
    genres: str


class MovieGenres:
    """The genres in `movies.dat` (1M, 10M: `id::title::A|B`) or `movies.csv` (20M and later)."""

    patterns = PATTERNS

    def read(self, path: Path) -> pd.DataFrame:
        """Pairs; a film without genres has none. ValueError naming file and line."""
        pairs = [
            (film.item, genre) for film in films(path) if film.genres != NO_GENRES for genre in film.genres.split("|")
        ]
        return _frame(pair for pair in pairs if pair[1])


class MovieYears:
    """The year at the end of each title, "Toy Story (1995)"; a title without one has no year."""

    patterns = PATTERNS

    def read(self, path: Path) -> pd.DataFrame:
        """Pairs. ValueError naming file and line."""
        years = ((film.item, YEAR.search(film.title)) for film in films(path))
        return _frame((item, int(year[1])) for item, year in years if year)


class MovieTitles:
    """The titles as they stand there, "Toy Story (1995)"."""

    patterns = PATTERNS

    def read(self, path: Path) -> pd.DataFrame:
        """Pairs. ValueError naming file and line."""
        return _frame((film.item, film.title) for film in films(path) if film.title)


def films(path: Path) -> Iterator[Film]:
    """The file's lines. ValueError naming file and line where one has not three columns."""
    double_colons = path.suffix == ".dat"
    with open_text(path) as file:
        rows = (line.rstrip("\r\n").split("::") for line in file) if double_colons else csv.reader(file)
        for line, row in enumerate(rows, start=1):
            if len(row) != len(Film._fields):
                raise ValueError(
                    f"{path}, line {line}: expected 3 columns (id, title, genres), found {len(row)}; fix the line"
                )
            if double_colons or line > 1:  # the other has a header
                yield Film(*map(_as_latin, row))


def _as_latin(text: str) -> str:
    """MovieLens-1M is in Latin-1, the later sets in UTF-8: bytes that are not UTF-8 have become surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1") if _SURROGATE.search(text) else text


def _frame(pairs: Iterator[tuple[str, str | int]]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["item", "value"])
