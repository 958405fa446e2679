"""Next-item training: every position predicts the item that follows it."""

import numpy as np
import torch

from recsys.data.batches import TrainBatch
from recsys.data.collators.base import ids, times
from recsys.data.parts import batch_width
from recsys.data.ragged import Ragged


class NextItem:
    """Every position predicts its successor: inputs items[:-1], targets items[1:], the last `max_length` of them."""

    def __init__(self, *, num_items: int, max_length: int) -> None:
        self.pad = num_items
        self.max_length = max_length

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch:
        rows = rows.last(self.max_length + 1)
        width = batch_width(int(rows.lengths.max()) - 1, at_most=self.max_length)
        inputs, targets = rows.trim(tail=1), rows.trim(head=1).padded(width, self.pad)  # targets [B, L]
        items, mask = inputs.padded(width, self.pad), torch.from_numpy(targets != self.pad)  # [B, L]
        return TrainBatch.of(
            ids(users),
            ids(items),
            ids(targets),
            target_mask=mask,
            timestamps=times(inputs, width),
            lengths=inputs.lengths,
        )
