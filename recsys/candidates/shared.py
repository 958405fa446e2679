"""One set of negatives for the whole batch."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.candidates.base import Candidates, CandidateSampler, check_sizes
from recsys.candidates.exclusion import Exclusion, Positive
from recsys.candidates.uniform import Distribution, Uniform
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue


class SharedNegatives(CandidateSampler):
    """`num_negatives` items drawn once per batch, with replacement, next to each position's own positive (column 0).

    The sampled softmax of Jean et al. (ACL 2015): scores are one matrix product, so K may be in the thousands where K
    per position may not. Other positions' positives are negatives only where they are drawn (`InBatch` has them all).
    What is excluded for a position is removed there, not drawn again: the set is everybody's.

    distribution, exclude: made from the catalogue. log_q: whether logits are corrected by the log of the expected
    number of draws.
    """

    log_q: Tensor | None

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        num_negatives: int,
        distribution: Callable[[Catalogue], Distribution] = Uniform,
        exclude: Callable[[Catalogue], Exclusion] = Positive,
        log_q: bool = False,
    ) -> None:
        super().__init__()
        check_sizes(catalogue, num_negatives)
        self.num_items = catalogue.num_items
        self.num_negatives = num_negatives
        self.distribution = distribution(catalogue)
        self.exclude = exclude(catalogue)
        self.register_buffer("log_q", self.distribution.expected_log_count(num_negatives) if log_q else None, False)

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
            own=positives,
        )
