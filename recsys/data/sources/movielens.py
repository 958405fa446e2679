"""MovieLens ratings as GroupLens publishes them."""

from pathlib import Path

import pandas as pd

from recsys.data.sources.delimited import DelimitedText, read_header, read_interactions

_HEADERLESS = {"ratings.dat": "::", "u.data": "\t"}  # file name -> delimiter
_COLUMNS = {"user": "userId", "item": "movieId", "rating": "rating", "timestamp": "timestamp"}


class MovieLensRatings:
    """`ratings.dat` (1M, 10M), `ratings.csv` (20M, 25M, 32M, latest) and `u.data` (100K).

    Format: the README of each data set at https://files.grouplens.org/datasets/movielens/. Timestamps are
    seconds since 1970.
    """

    patterns = (*_HEADERLESS, "ratings.csv")

    def read(self, path: Path) -> pd.DataFrame:
        """Interactions frame with ratings and timestamps. Raises ValueError naming file, line and column."""
        if path.name in _HEADERLESS:
            names = list(_COLUMNS.values())
            text = DelimitedText(path, _HEADERLESS[path.name], names, has_header=False, quoted=False)
        else:
            text = DelimitedText(path, ",", read_header(path, ","), has_header=True, quoted=True)
        return read_interactions(text, _COLUMNS, option="data=csv data.reader.{role}=NAME")
