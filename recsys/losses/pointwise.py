"""Losses that judge each candidate on its own."""

import torch
from torch import Tensor

from recsys.candidates import Candidates
from recsys.losses.base import RankingLoss
from recsys.losses.functional import binary_cross_entropy


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
        return binary_cross_entropy(logits, candidates.target, average_negatives=self.average_negatives)
