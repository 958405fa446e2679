"""One evaluator for everything that can score, under any protocol."""

from recsys.evaluation.evaluator import Evaluation, Evaluator, Scorer, evaluate, evaluate_all
from recsys.evaluation.full import FullRanking, SeenScoredZero, TruncatedSeenRemoved
from recsys.evaluation.labelled import LabelledCandidates
from recsys.evaluation.negatives import NegativeSource, PopularityNegatives, Reject, UniformNegatives
from recsys.evaluation.negatives_file import NegativesFile
from recsys.evaluation.protocol import Candidates, RankingProtocol
from recsys.evaluation.sampled import SampledRanking

__all__ = [
    "Candidates",
    "Evaluation",
    "Evaluator",
    "FullRanking",
    "LabelledCandidates",
    "NegativeSource",
    "NegativesFile",
    "PopularityNegatives",
    "RankingProtocol",
    "Reject",
    "SampledRanking",
    "Scorer",
    "SeenScoredZero",
    "TruncatedSeenRemoved",
    "UniformNegatives",
    "evaluate",
    "evaluate_all",
]
