"""S3-Rec's pre-training batches: masked items and masked segments."""

import numpy as np
import torch
from torch import Tensor

from recsys.data.batches import PretrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators.base import ids
from recsys.data.parts import batch_width
from recsys.data.ragged import Ragged


class S3Pretraining:
    """Hides items and a segment of each row, and draws another segment to tell it from (Zhou et al., CIKM 2020).

    An item is hidden with probability `mask_prob`, the last of a row always. The segment takes up to half of the row,
    its length and then its place uniform; the other one is as long a stretch of all users' rows end to end, from a
    uniform start. A row of one item has no segment. All is drawn for the batch at once.

    as_released: the other segment comes from the users' whole sequences, held-out items included, and a row of one
    item is its own segment and its own other.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        max_length: int,
        mask_prob: float = 0.2,
        as_released: bool = False,
    ) -> None:
        if not 0 <= mask_prob <= 1:
            raise ValueError(f"mask_prob ({mask_prob}) must be from 0 to 1; set task.collator.mask_prob=0.2")
        self.pad = catalogue.num_items
        self.max_length = max_length
        self.mask_prob = mask_prob
        self.as_released = as_released
        self.pool = (catalogue.whole if as_released else catalogue.train).flat()

    def __call__(self, users: np.ndarray, rows: Ragged) -> PretrainBatch:
        lengths = torch.from_numpy(np.minimum(rows.lengths, self.max_length))[:, None]  # [B, 1]
        items = ids(rows.padded(batch_width(int(lengths.max()), at_most=self.max_length), self.pad))  # [B, L]
        column = torch.arange(items.shape[1])  # [L]
        hidden = (torch.rand(items.shape) < self.mask_prob) & (column < lengths) | (column == lengths - 1)
        segment, other = self._segments(items, lengths, column)
        return PretrainBatch(ids(users), items, hidden, segment, other)

    def _segments(self, items: Tensor, lengths: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
        """Where each row's segment is and what stands there in the other one, [B, L] each."""
        size = 1 + _below(lengths // 2)  # [B, 1], from 1 to half of the row
        place = _below(lengths - size + 1)
        inside = column - place  # [B, L], position within the segment
        segment = (inside >= 0) & (inside < size)
        start = _below(len(self.pool) - size + 1)
        source = (start + inside).clamp(0, len(self.pool) - 1)
        other = ids(self.pool[source.numpy()])
        alone = lengths == 1
        if self.as_released:
            return segment, torch.where(alone, items, other)
        return segment & ~alone, other


def _below(bound: Tensor) -> Tensor:
    """A uniform integer from 0 to below each bound; 0 where the bound is less than 1."""
    draws = torch.rand(bound.shape, dtype=torch.float64)
    return (draws * bound).long().clamp(min=0)
