"""The cloze task: hidden items are predicted from those on both sides of them."""

import numpy as np
import torch
from torch import Tensor

from recsys.data.batches import TrainBatch
from recsys.data.collators.base import ids, times
from recsys.data.parts import batch_width
from recsys.data.ragged import Ragged


class Cloze:
    """Some of each row's last `max_length` items are replaced by `mask` and have to be told (BERT4Rec, CIKM 2019).

    mask_prob: the share of a row's items that is hidden, rounded to whole items, at least one.
    last_only: the share of rows in which the last item alone is hidden, which is what ranking asks. The authors'
    data generator hides items of each sequence 10 times at random and once at the end: 1/11.
    Targets are the items themselves at every position, hidden or not.
    """

    def __init__(self, *, num_items: int, max_length: int, mask_prob: float = 0.2, last_only: float = 0.09) -> None:
        if not 0 < mask_prob < 1:
            raise ValueError(f"mask_prob ({mask_prob}) must be above 0 and below 1; set task.collator.mask_prob=0.2")
        if not 0 <= last_only <= 1:
            raise ValueError(f"last_only ({last_only}) must be from 0 to 1; set task.collator.last_only=0.09")
        self.pad = num_items
        self.mask = num_items + 1
        self.max_length = max_length
        self.mask_prob = mask_prob
        self.last_only = last_only

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch:
        lengths = np.minimum(rows.lengths, self.max_length)  # [B]
        width = batch_width(int(lengths.max()), at_most=self.max_length)
        targets = ids(rows.padded(width, self.pad))  # [B, L]
        hidden = self._hidden(torch.from_numpy(lengths), width=width)
        items = targets.masked_fill(hidden, self.mask)
        return TrainBatch.of(
            ids(users), items, targets, target_mask=hidden, timestamps=times(rows, width), lengths=lengths
        )

    def _hidden(self, lengths: Tensor, *, width: int) -> Tensor:
        """Which positions are hidden, [B, width] bool: those that come first in a random order of each row."""
        position, end = torch.arange(width), lengths[:, None]  # [L], [B, 1]
        last_only = torch.rand(len(lengths), 1) < self.last_only  # [B, 1]
        order = torch.rand(len(lengths), width).masked_fill(position >= end, 2.0)  # padding comes after all items
        order = order.masked_fill(last_only & (position == end - 1), -1.0)  # where it is alone, the last comes first
        count = (end * self.mask_prob).round().clamp(min=1).masked_fill(last_only, 1)  # [B, 1]
        return order.argsort(1).argsort(1) < count
