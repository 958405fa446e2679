"""Losses: functions of logits and the positive's column, and the thin modules that name them."""

from recsys.losses.base import RankingLoss
from recsys.losses.listwise import CrossEntropy
from recsys.losses.pairwise import BPR
from recsys.losses.pointwise import BinaryCrossEntropy

__all__ = ["BPR", "BinaryCrossEntropy", "CrossEntropy", "RankingLoss"]
