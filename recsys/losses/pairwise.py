"""Losses that compare the positive with one negative at a time."""

from torch import Tensor

from recsys.candidates import Candidates
from recsys.losses.base import RankingLoss
from recsys.losses.functional import bpr


class BPR(RankingLoss):
    """Bayesian personalised ranking (Rendle et al., UAI 2009): mean_k -log s(x+ - x_k), s the sigmoid.

    Mean over the negatives. Adding a constant to all scores changes nothing, so a score is not a probability.
    """

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        return bpr(logits, candidates.target)
