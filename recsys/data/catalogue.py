"""What the parts of a model are told about the data at run time."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from recsys.data.attributes import ItemAttributes
from recsys.data.ragged import Ragged

NO_ROWS = Ragged.from_rows([])


class Catalogue:
    """The items that can be recommended and what training knows of them. V items, U users.

    num_items: V.
    train: the training rows, one per user index (an empty row where a user has none).
    whole: the users' whole sequences, held-out items included; for published protocols that leak them.
    attributes: of the items, a kind each; empty where the data has none or the task has no use for them.
    A model built by hand needs `Catalogue(num_items=V)` alone.
    """

    def __init__(
        self,
        *,
        num_items: int,
        train: Ragged = NO_ROWS,
        whole: Ragged = NO_ROWS,
        attributes: Sequence[ItemAttributes] = (),
    ) -> None:
        self.num_items = num_items
        self.train = train
        self.whole = whole
        self.attributes = tuple(attributes)

    @property
    def num_users(self) -> int:
        return self.train.num_rows

    @cached_property
    def counts(self) -> np.ndarray:
        """How often each item occurs in training, [V] int64."""
        return np.bincount(self.train.flat(), minlength=self.num_items)
