"""Splits: what a model may train on, and what it is asked. Small callables `UserSequences -> Split`."""

from recsys.data.splits.base import EvalSet, Split, Splitter, TieSplitter
from recsys.data.splits.folds import InteractionFolds, UserFolds
from recsys.data.splits.hidden_positives import HiddenPositives, Labelled
from recsys.data.splits.known import KnownTargets
from recsys.data.splits.leave_one_out import LeaveOneOut
from recsys.data.splits.masked_and_future import MaskedAndFuture
from recsys.data.splits.ratio import Ratio
from recsys.data.splits.refitted import Refitted
from recsys.data.splits.temporal import GlobalTemporal
from recsys.data.splits.ties import FileOrder, ItemIdOrder, RandomOrder, TieOrder

__all__ = [
    "EvalSet",
    "FileOrder",
    "GlobalTemporal",
    "HiddenPositives",
    "InteractionFolds",
    "ItemIdOrder",
    "KnownTargets",
    "Labelled",
    "LeaveOneOut",
    "MaskedAndFuture",
    "RandomOrder",
    "Ratio",
    "Refitted",
    "Split",
    "Splitter",
    "TieOrder",
    "TieSplitter",
    "UserFolds",
]
