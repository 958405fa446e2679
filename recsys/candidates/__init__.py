"""Candidates: which items a position is scored against in training, and the samplers that draw them.

A sampler of negatives is put together from three parts: how the draws are shared among positions (`PerPosition`,
`SharedNegatives`), the distribution they follow (`Uniform`, `Popularity`) and what they exclude (`exclusion`).
"""

from recsys.candidates.base import Candidates, CandidateSampler
from recsys.candidates.exclusion import Exclusion, Nothing, Positive, TrainItems, TruncatedSequence, WholeSequence
from recsys.candidates.full import FullCatalogue
from recsys.candidates.in_batch import InBatch
from recsys.candidates.per_position import PerPosition
from recsys.candidates.popularity import Popularity
from recsys.candidates.shared import SharedNegatives
from recsys.candidates.uniform import Distribution, Uniform

__all__ = [
    "CandidateSampler",
    "Candidates",
    "Distribution",
    "Exclusion",
    "FullCatalogue",
    "InBatch",
    "Nothing",
    "PerPosition",
    "Popularity",
    "Positive",
    "SharedNegatives",
    "TrainItems",
    "TruncatedSequence",
    "Uniform",
    "WholeSequence",
]
