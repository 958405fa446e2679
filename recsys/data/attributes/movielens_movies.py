"""Genres, years and titles of MovieLens' films."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from recsys.data.attributes.movielens_films import PATTERNS, films

NO_GENRES = "(no genres listed)"
YEAR = re.compile(r"\((\d{4})\)\s*$")  # at the end of the title


class MovieGenres:
    """The genres in `movies.dat` (1M, 10M: `id::title::A|B`), `movies.csv` (20M and later) or `u.item` (100K)."""

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


def _frame(pairs: Iterator[tuple[str, str | int]]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["item", "value"])
