"""Losses: functions of logits and the positive's column, and the thin modules that name them."""

from recsys.losses.base import RankingLoss
from recsys.losses.listwise import CrossEntropy
from recsys.losses.pairwise import BPR, BPRMax, TOP1Max
from recsys.losses.pointwise import BinaryCrossEntropy, GeneralisedBinaryCrossEntropy

__all__ = [
    "BPR",
    "BPRMax",
    "BinaryCrossEntropy",
    "CrossEntropy",
    "GeneralisedBinaryCrossEntropy",
    "RankingLoss",
    "TOP1Max",
]
