"""Last-item training: one prefix of each row predicts the item that follows it."""

import numpy as np
import torch

from recsys.data.batches import TrainBatch
from recsys.data.collators.base import ids, times
from recsys.data.parts import batch_width
from recsys.data.ragged import Ragged


class LastItem:
    """One sample per row: a prefix's last `max_length` items, with the next item as target at the last of them.

    random_end: the prefix ends anywhere in the row, drawn anew in every epoch; False: the target is always the
    row's last item.
    """

    def __init__(self, *, num_items: int, max_length: int, random_end: bool = True) -> None:
        self.pad = num_items
        self.max_length = max_length
        self.random_end = random_end

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch:
        sizes = self._sizes(rows.lengths)  # [B]
        order = np.argsort(sizes, kind="stable")  # like lengths together
        users, rows, sizes = users[order], rows.take(order), sizes[order]
        kept = np.minimum(sizes, self.max_length)  # [B]
        inputs, width = rows._replace(lengths=sizes), batch_width(int(kept.max()), at_most=self.max_length)
        items = inputs.padded(width, self.pad)  # [B, L]
        is_last = np.arange(width) == kept[:, None] - 1  # [B, L]
        targets = np.where(is_last, rows.values[rows.starts + sizes][:, None], self.pad)  # [B, L]
        return TrainBatch.of(
            ids(users),
            ids(items),
            ids(targets),
            target_mask=torch.from_numpy(is_last),
            timestamps=times(inputs, width),
            lengths=kept,
        )

    def _sizes(self, lengths: np.ndarray) -> np.ndarray:
        """How many items each prefix holds, from 1 to all but one, [B]."""
        if not self.random_end:
            return lengths - 1
        draws = torch.rand(len(lengths), dtype=torch.float64).numpy()
        return 1 + (draws * (lengths - 1)).astype(np.int64)
