"""The contract of a training collator."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from recsys.data.batches import TrainBatch
from recsys.data.ragged import Ragged


class TrainCollator(Protocol):
    """Turns the rows of one batch, and the users they belong to, into a training batch.

    What is random in it is drawn from torch's global generator, so it is new in every epoch and follows the seed.
    A batch is about as wide as its longest row, not as `max_length`: nobody computes on columns of padding.
    """

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch: ...


def ids(array: np.ndarray) -> Tensor:
    """Users, items or times, of whatever type they are stored in, as int64."""
    return torch.from_numpy(array.astype(np.int64))


def times(rows: Ragged, width: int) -> Tensor | None:
    """When the items of `rows.padded(width, ...)` came about, [R, width] whole seconds; None where it is not known."""
    return None if rows.timestamps is None else ids(rows._replace(values=rows.timestamps).padded(width, 0))
