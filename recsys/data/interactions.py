"""The interactions frame, its filters, and the vocabulary that turns raw ids into 0..V-1.

An interactions frame has one row per interaction and the columns `user` and `item` (integers or strings) and,
optionally, `rating` and `timestamp` (numbers). Where there are no timestamps, the order of the rows is time.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


class Vocabulary:
    """Raw ids <-> indices 0..V-1, in the order of the raw ids.

    ids: the distinct raw ids in ascending order, [V], int64 or fixed-width text (numpy `U`).
    """

    def __init__(self, ids: np.ndarray) -> None:
        self.ids = ids

    @classmethod
    def from_values(cls, values: ArrayLike) -> "Vocabulary":
        """The distinct ones of the values [N]. Raises ValueError for anything but integers or strings."""
        distinct = pd.Series(pd.unique(pd.Series(values)))
        if pd.api.types.is_integer_dtype(distinct.dtype):
            return cls(np.sort(distinct.to_numpy(np.int64)))
        if pd.api.types.is_string_dtype(distinct) and not distinct.isna().any():
            return cls(np.sort(distinct.to_numpy(np.str_)))
        raise ValueError(f"ids must be integers or strings without gaps, got {distinct.dtype}; convert them")

    @classmethod
    def encoded(cls, values: ArrayLike) -> tuple["Vocabulary", np.ndarray]:
        """The distinct ones of the values [N], and each value's index, [N] of `index_type`. Raises as `from_values`."""
        series = pd.Series(values)
        if isinstance(series.dtype, np.dtype) and series.dtype.kind == "i" and len(series):
            integers = series.to_numpy(np.int64)
            if integers.min() >= 0 and integers.max() < len(integers):  # a table of them all is small, hashing slow
                return cls._encoded_by_table(integers)
        codes, distinct = pd.factorize(series, use_na_sentinel=False)
        vocabulary = cls.from_values(distinct)
        return vocabulary, vocabulary.find(distinct).astype(index_type(len(vocabulary)))[codes]

    @classmethod
    def _encoded_by_table(cls, integers: np.ndarray) -> tuple["Vocabulary", np.ndarray]:
        """As `encoded`, of integers from 0 on, all below their number."""
        occurs = np.zeros(integers.max() + 1, dtype=bool)
        occurs[integers] = True
        vocabulary = cls(np.flatnonzero(occurs))
        return vocabulary, (np.cumsum(occurs, dtype=index_type(len(vocabulary))) - 1)[integers]

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, values: ArrayLike) -> np.ndarray:
        """Index of each value, [N] int64; -1 where it is unknown."""
        return pd.Index(self.ids).get_indexer(pd.Index(values)).astype(np.int64, copy=False)


def index_type(size: int) -> type[np.signedinteger]:
    """What holds the indices 0..size-1: int32 where it does."""
    return np.int32 if size <= np.iinfo(np.int32).max else np.int64


def check_interactions(frame: pd.DataFrame) -> None:
    """Raise ValueError where the frame lacks users or items, or holds a number that isn't finite."""
    for name in ("user", "item"):
        if name not in frame:
            raise ValueError(f"interactions need a column {name!r}, got {', '.join(map(str, frame.columns))}")
    for name in {"rating", "timestamp"}.intersection(frame.columns):
        column = frame[name]
        if pd.api.types.is_integer_dtype(column.dtype) and not column.hasnans:
            continue
        faulty = np.flatnonzero(~np.isfinite(column)) if pd.api.types.is_numeric_dtype(column) else [0]
        if len(faulty):
            value = column.iloc[faulty[0]]
            raise ValueError(f"column {name!r} must hold numbers, got {value!r} in row {faulty[0]}; fix the row")


def at_least(frame: pd.DataFrame, min_rating: float) -> pd.DataFrame:
    """Rows rated `min_rating` or more: the positives, when ratings are read as implicit feedback."""
    if "rating" not in frame:
        raise ValueError(f"min_rating ({min_rating}) needs ratings and there are none; set data.min_rating=null")
    return frame.loc[frame["rating"] >= min_rating].reset_index(drop=True)


def k_core(frame: pd.DataFrame, *, user: int, item: int) -> pd.DataFrame:
    """The largest set of rows where each user has `user` rows or more and each item `item` rows or more.

    Dropping a user may leave an item with too few rows and the other way round, so both are repeated until
    nothing changes. Repeated pairs count each time.
    """
    if max(user, item) <= 1:  # whoever is there has a row
        return frame
    users = pd.factorize(frame["user"])[0]
    items = pd.factorize(frame["item"])[0]
    rows = np.arange(len(frame))
    while True:
        enough = _count(users[rows]) >= user
        enough &= _count(items[rows]) >= item
        if enough.all():
            return frame.iloc[rows].reset_index(drop=True)
        rows = rows[enough]


def _count(codes: np.ndarray) -> np.ndarray:
    """How often each row's code occurs, [N]."""
    return np.bincount(codes, minlength=1)[codes]


def filter_interactions(
    frame: pd.DataFrame,
    *,
    min_rating: float | None,
    min_user_items: int,
    min_item_users: int,
    max_users: int | None = None,
) -> pd.DataFrame:
    """`at_least`, then `k_core`, then the first `max_users` users.

    Raises ValueError where nothing is left, saying which filter removed how much.
    """
    check_interactions(frame)
    rated = frame if min_rating is None else at_least(frame, min_rating)
    kept = k_core(rated, user=min_user_items, item=min_item_users)
    if len(kept) == 0:
        raise ValueError(
            f"no interaction is left of {len(frame):,}: min_rating={min_rating} removed "
            f"{len(frame) - len(rated):,}, then min_user_items={min_user_items} with "
            f"min_item_users={min_item_users} removed {len(rated):,}; lower them under data"
        )
    return kept if max_users is None else kept.loc[kept["user"].isin(kept["user"].unique()[:max_users])]  # pyright: ignore
