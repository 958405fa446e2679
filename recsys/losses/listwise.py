"""Losses that judge all candidates together."""

import torch
from torch import Tensor

from recsys.candidates import Candidates
from recsys.losses.base import RankingLoss, softmax
from recsys.losses.functional import cross_entropy


class CrossEntropy(RankingLoss):
    """Softmax cross-entropy over the candidates: -log softmax(x)[positive], the whole catalogue by default."""

    link = staticmethod(softmax)

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        return cross_entropy(logits, candidates.target)

    def value_and_grad(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        column = candidates.target[:, None]  # [N, 1]
        positive = logits.gather(1, column).squeeze(1)
        highest = logits.amax(1)
        probability = torch.softmax(logits, dim=1, dtype=torch.float32)
        # log sum exp x = max x - log max p: exact where the positive's own probability underflows
        value = highest.float() - probability.amax(1).log() - positive.float()
        return value, probability.scatter_add_(1, column, probability.new_full(column.shape, -1.0))
