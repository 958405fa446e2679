"""What RecBole's models are trained on: histories, pairs of user and item, or whole users. Nothing is copied.

A history is a prefix of a user's training items with the item after it as target. RecBole lays all of them out in
memory before training; here they are views on the users' rows, padded when their batch is made.
"""

from typing import Protocol

import numpy as np

from recsys.data.batches import TrainBatch
from recsys.data.collators import Bag, LastItem, TrainCollator
from recsys.data.ragged import Ragged
from recsys.data.samples import Samples
from recsys.models.recbole.library import model_class


class Inputs(Protocol):
    """One of the three ways to make batches.

    histories: whether a sample has items before its target. targets: whether the loss is asked for one item at a time.
    """

    histories: bool
    targets: bool

    def samples(self, rows: Ragged) -> Samples:
        """What an epoch is made of, from the training items of each user."""
        ...

    def collator(self, *, num_items: int, max_length: int) -> TrainCollator:
        """Turns samples into batches."""
        ...


class Histories:
    """Every training item that another one precedes, with the items before it: sequential models."""

    histories = True
    targets = True

    def samples(self, rows: Ragged) -> Samples:
        nth = _numbers(rows)  # of each interaction within its user
        users = rows.row_ids()[nth > 0]
        if len(users) == 0:
            raise ValueError(
                "no user has 2 training items, so there is nothing to predict; set data.min_user_items higher"
            )
        return Samples(users, rows.take(users)._replace(lengths=nth[nth > 0] + 1))

    def collator(self, *, num_items: int, max_length: int) -> TrainCollator:
        return LastItem(num_items=num_items, max_length=max_length, random_end=False)


class Pairs:
    """Every training interaction: general and context-aware models."""

    histories = False
    targets = True

    def samples(self, rows: Ragged) -> Samples:
        users, nth = rows.row_ids(), _numbers(rows)
        return Samples(users, rows._replace(starts=rows.starts[users] + nth, lengths=np.ones_like(nth)))

    def collator(self, *, num_items: int, max_length: int) -> TrainCollator:
        return Bag(num_items=num_items)


class Users(Pairs):
    """Every user with all of their training items: autoencoders, which look the items up themselves."""

    targets = False

    def samples(self, rows: Ragged) -> Samples:
        users = np.flatnonzero(rows.lengths)
        return Samples(users, rows.take(users))


def inputs_of(model: type) -> Inputs:
    """How RecBole's own loaders would feed a model of that class."""
    from recbole.data.dataloader import UserDataLoader
    from recbole.data.utils import get_dataloader
    from recbole.utils import ModelType

    family = model.type  # pyright: ignore[reportAttributeAccessIssue]
    loader = get_dataloader({"model": model.__name__, "MODEL_TYPE": family}, "train")  # pyright: ignore
    if issubclass(loader, UserDataLoader):
        return Users()
    return Histories() if family == ModelType.SEQUENTIAL else Pairs()


class RecBoleSamples:
    """The samples of RecBole's model `name`."""

    def __init__(self, *, name: str) -> None:
        self.name = name

    def __call__(self, rows: Ragged) -> Samples:
        return inputs_of(model_class(self.name)).samples(rows)


class RecBoleCollator:
    """The batches of RecBole's model `name`; max_length: items of a history that it reads."""

    def __init__(self, *, name: str, num_items: int, max_length: int) -> None:
        self.collate = inputs_of(model_class(name)).collator(num_items=num_items, max_length=max_length)

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch:
        return self.collate(users, rows)


def _numbers(rows: Ragged) -> np.ndarray:
    """0, 1, 2, ... within each row, row after row."""
    return np.arange(int(rows.lengths.sum())) - np.repeat(np.cumsum(rows.lengths) - rows.lengths, rows.lengths)
