"""Losses that judge each candidate on its own."""

import torch
from torch import Tensor

from recsys.candidates import Candidates
from recsys.losses import closed_form, functional
from recsys.losses.base import RankingLoss
from recsys.losses.functional import counted, num_negatives


class BinaryCrossEntropy(RankingLoss):
    """Binary cross-entropy on the positive and the negatives, the loss of SASRec (Kang and McAuley, ICDM 2018).

    -log s(x+) - reduce_k log(1 - s(x_k)), s the sigmoid. What S3-Rec calls cross-entropy is this with one negative.
    average_negatives: mean over the negatives (the default: positive and negatives weigh the same) instead of sum.
    """

    link = staticmethod(torch.sigmoid)

    def __init__(self, *, average_negatives: bool = True) -> None:
        super().__init__()
        self.average_negatives = average_negatives

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        return functional.binary_cross_entropy(logits, candidates.target, *self._weights(logits))

    def value_and_grad(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        return closed_form.binary_cross_entropy(logits, candidates.target, *self._weights(logits))

    def _weights(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of the positive and of each negative."""
        one = logits.new_ones(())
        return one, 1 / num_negatives(logits) if self.average_negatives else one


class GeneralisedBinaryCrossEntropy(RankingLoss):
    """gBCE, the loss of gSASRec (Petrov and Macdonald, RecSys 2023).

    -(log s(x+)^beta + sum_k log(1 - s(x_k))) / (K + 1), s the sigmoid, a mean over the positive and its K negatives.
    Sampling only K of the V - 1 negatives, at rate alpha = K / (V - 1), makes a model overconfident; raising the
    positive's probability to beta = alpha (t (1 - 1 / alpha) + 1 / alpha) = 1 - t (1 - alpha) takes that back.

    t: calibration, from 0 (beta = 1, binary cross-entropy) to 1 (beta = alpha: s(x) estimates the item's probability).
    """

    link = staticmethod(torch.sigmoid)

    def __init__(self, *, t: float = 0.75) -> None:
        super().__init__()
        if not 0 <= t <= 1:
            raise ValueError(f"t ({t}) must be from 0 to 1; set loss.t")
        self.t = t

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        return functional.binary_cross_entropy(logits, candidates.target, *self._weights(logits, candidates))

    def value_and_grad(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        return closed_form.binary_cross_entropy(logits, candidates.target, *self._weights(logits, candidates))

    def _weights(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        count = counted(logits).sum(1)  # [N], K + 1
        alpha = (count - 1) / max(candidates.num_items - 1, 1)
        return (1 - self.t * (1 - alpha)) / count, 1 / count
