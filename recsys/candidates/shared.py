"""One set of negatives for the whole batch."""

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.candidates.base import Candidates
from recsys.candidates.drawn import DrawnNegatives
from recsys.data.batches import TrainBatch


class SharedNegatives(DrawnNegatives):
    """`num_negatives` items drawn once per batch, with replacement, next to each position's own positive (column 0).

    The sampled softmax of Jean et al. (ACL 2015): scores are one matrix product, so K may be in the thousands where K
    per position may not. Other positions' positives are negatives only where they are drawn (`InBatch` has them all).
    What is excluded for a position is removed there, not drawn again: the set is everybody's.
    """

    def forward(self, positives: Tensor, batch: TrainBatch) -> Candidates:
        negatives = self.distribution.draw((self.num_negatives,), positives.device)  # [K]
        excluded = self.exclude(positives, batch)
        removed = None if excluded is None else F.pad(excluded.everywhere(negatives), (1, 0))  # [N, 1 + K]
        return Candidates(
            items=negatives,
            target=torch.zeros_like(positives),
            num_items=self.num_items,
            log_q=self.log_q,
            removed=removed,
            bonus=self.positives_bonus(positives, excluded),
            own=positives,
        )
