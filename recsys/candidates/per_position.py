"""Negatives that each position has for itself."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.candidates.base import Candidates, CandidateSampler, check_sizes
from recsys.candidates.exclusion import Excluded, Exclusion, Positive
from recsys.candidates.uniform import Distribution, Uniform
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue

ROUNDS = 20  # of redrawing; an item in two excluded, one draw in a million is left over


class PerPosition(CandidateSampler):
    """`num_negatives` items for each position, drawn with replacement; column 0 is the positive.

    An excluded item is drawn again, so that negatives follow the distribution restricted to what is allowed; one that
    is still excluded after 20 rounds (a user who has nearly everything) is removed.

    distribution, exclude: made from the catalogue. log_q: whether logits are corrected by the log of the expected
    number of draws (sampled softmax, Bengio and Senecal 2008); restricting the distribution multiplies a row's
    probabilities by a constant, which is left out.
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
        negatives = self.distribution.draw((len(positives), self.num_negatives), positives.device)  # [N, K]
        excluded = self.exclude(positives, batch)
        removed = None if excluded is None else self._redraw(negatives, excluded)
        return Candidates(
            items=torch.cat([positives[:, None], negatives], dim=1),  # [N, 1 + K]
            target=torch.zeros_like(positives),
            num_items=self.num_items,
            log_q=self.log_q,
            removed=None if removed is None else F.pad(removed, (1, 0)),
        )

    def _redraw(self, negatives: Tensor, excluded: Excluded) -> Tensor | None:
        """Replaces excluded negatives [N, K] in place; returns which of them had to stay, None where none did."""
        flat = negatives.view(-1)
        everyone = torch.arange(len(negatives), device=flat.device)[:, None]
        left = excluded.pairs(negatives, everyone).view(-1).nonzero()[:, 0]  # [M], places in flat
        for _ in range(ROUNDS):
            if len(left) == 0:
                return None
            flat[left] = self.distribution.draw((len(left),), flat.device)
            left = left[excluded.pairs(flat[left], left // self.num_negatives)]
        removed = torch.zeros_like(negatives, dtype=torch.bool)
        removed.view(-1)[left] = True
        return removed
