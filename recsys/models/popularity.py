"""Popularity: the trivial baseline that stands beside every result."""

import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.models.closed_form import ClosedFormModel


class Popularity(ClosedFormModel):
    """Every user gets the items that occur most often in training; an item's score is its count."""

    counts: Tensor

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue)
        self.register_buffer("counts", torch.zeros(catalogue.num_items))

    def fit(self) -> None:
        self.counts.copy_(torch.from_numpy(self.catalogue.counts))

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.counts.repeat(len(batch.users), 1)  # [B, V]
