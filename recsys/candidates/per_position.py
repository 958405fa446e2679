"""Negatives that each position has for itself."""

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.candidates.base import Candidates
from recsys.candidates.drawn import DrawnNegatives
from recsys.candidates.exclusion import Excluded
from recsys.data.batches import TrainBatch

ROUNDS = 20  # of redrawing; an item in two excluded, one draw in a million is left over


class PerPosition(DrawnNegatives):
    """`num_negatives` items for each position, drawn with replacement; column 0 is the positive.

    An excluded item is drawn again, so that negatives follow the distribution restricted to what is allowed; one that
    is still excluded after 20 rounds (a user who has nearly everything) is removed.
    """

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
            bonus=self._bonus(positives, excluded),
        )

    def _bonus(self, positives: Tensor, excluded: Excluded | None) -> Tensor | None:
        """Drawing again makes the allowed items 1 / (1 - q) times as frequent, q the share of what is excluded."""
        bonus = self.positives_bonus(positives, excluded)
        if bonus is None or excluded is None or self.log_q is None:
            return None
        share = excluded.share(self.log_q.exp() / self.num_negatives)
        return bonus - torch.log1p(-share.clamp(max=0.999))

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
