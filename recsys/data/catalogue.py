"""What the parts of a model are told about the data at run time."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from recsys.data.attributes import ItemAttributes
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged

NO_ROWS = Ragged.from_rows([])


class Catalogue:
    """The items that can be recommended and what training knows of them. V items, U users.

    num_items: V.
    train: the training rows, one per user index (an empty row where a user has none).
    whole: the users' whole sequences, held-out items included; for published protocols that leak them.
    attributes: of the items, a kind each; empty where the data has none or the task has no use for them.
    users, items: their raw ids, for protocols that read files; None: the indices themselves.
    A model built by hand needs `Catalogue(num_items=V)` alone.
    """

    def __init__(
        self,
        *,
        num_items: int,
        train: Ragged = NO_ROWS,
        whole: Ragged = NO_ROWS,
        attributes: Sequence[ItemAttributes] = (),
        users: Vocabulary | None = None,
        items: Vocabulary | None = None,
    ) -> None:
        self.num_items = num_items
        self.train = train
        self.whole = whole
        self.attributes = tuple(attributes)
        self.users = Vocabulary(np.arange(train.num_rows)) if users is None else users
        self.items = Vocabulary(np.arange(num_items)) if items is None else items

    @property
    def num_users(self) -> int:
        return self.train.num_rows

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each item occurs in training, [V] int64."""
        return np.bincount(self.train.flat(), minlength=self.num_items)

    def user_name(self, user: int) -> str:
        """Raw id of a user index."""
        return str(self.users.ids[user])

    def find_users(self, raw: ArrayLike, *, place: Path) -> np.ndarray:
        """Index of each raw id in a file; ValueError naming the file and the first that the data has not."""
        return _find(raw, self.users, what="user", place=place)

    def find_items(self, raw: ArrayLike, *, place: Path) -> np.ndarray:
        """Index of each raw id in a file; ValueError naming the file and the first that the data has not."""
        return _find(raw, self.items, what="item", place=place)


def _find(raw: ArrayLike, vocabulary: Vocabulary, *, what: str, place: Path) -> np.ndarray:
    """Compared as text, for a file may quote what the data has as numbers."""
    names = pd.Series(raw).astype(str)
    found = pd.Index(vocabulary.ids.astype(np.str_)).get_indexer(pd.Index(names)).astype(np.int64)
    unknown = np.flatnonzero(found < 0)
    if len(unknown):
        raise ValueError(
            f"{place}: {what} {names.iloc[unknown[0]]} is not in the data ({len(unknown):,} such rows); give a file of "
            "this data's own ids"
        )
    return found
