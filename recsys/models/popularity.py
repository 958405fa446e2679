"""Popularity: the trivial baseline that stands beside every result."""

import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.data.ragged import Ragged


class Popularity:
    """Every user gets the items that occur most often in training; an item's score is its count."""

    def __init__(self, *, num_items: int) -> None:
        self.counts = torch.zeros(num_items)

    def fit(self, rows: Ragged) -> "Popularity":
        """Counts the training rows."""
        items = torch.from_numpy(rows.flat().astype("int64"))
        self.counts = torch.bincount(items, minlength=len(self.counts)).float()
        return self

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.counts.repeat(len(batch.users), 1)  # [B, V]
