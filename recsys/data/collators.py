"""Batch-making: rows of items in, named tuples of tensors out, vectorised over the batch."""

from typing import Protocol

import numpy as np
import torch

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet


class TrainCollator(Protocol):
    """Turns the rows of one batch, and the users they belong to, into a training batch."""

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch: ...


class NextItem:
    """Every position predicts its successor: inputs items[:-1], targets items[1:], the last `max_length` of them.

    The batch is as wide as its longest row, not as `max_length`: nobody computes on columns of padding.
    """

    def __init__(self, *, num_items: int, max_length: int) -> None:
        self.pad = num_items
        self.max_length = max_length

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch:
        rows = rows.last(self.max_length + 1)
        width = max(int(rows.lengths.max()) - 1, 1)
        targets = rows.trim(head=1).padded(width, self.pad)  # [B, L]
        items = rows.trim(tail=1).padded(width, self.pad)  # [B, L]
        return TrainBatch(*map(_tensor, (users, items, targets)), target_mask=torch.from_numpy(targets != self.pad))


class Evaluation:
    """Makes evaluation batches: the last `max_length` items as input, all items of the input as seen."""

    def __init__(self, questions: EvalSet, *, num_items: int, max_length: int) -> None:
        self.questions = questions
        self.pad = num_items
        self.max_length = max_length

    def __call__(self, index: np.ndarray) -> EvalBatch:
        """`index` [B]: rows of the evaluation set."""
        users, inputs, targets = self.questions
        inputs, targets = inputs.take(index), targets.take(index)
        width = min(int(inputs.lengths.max()), self.max_length)
        return EvalBatch(
            users=_tensor(users[index]),
            items=_tensor(inputs.padded(width, self.pad)),
            targets=_tensor(targets.padded(int(targets.lengths.max()), -1)),
            seen_rows=_tensor(inputs.row_ids()),
            seen_items=_tensor(inputs.flat()),
        )


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.int64))
