"""RecBole's models in the grid: its classes and losses, our split, batches and evaluator.

Zhao et al., RecBole: Towards a Unified, Comprehensive and Efficient Framework for Recommendation Algorithms, CIKM 2021.
Nothing of RecBole is imported before one of its models is made.
"""

from recsys.models.recbole.inputs import RecBoleCollator, RecBoleSamples
from recsys.models.recbole.model import RecBoleModel

__all__ = ["RecBoleCollator", "RecBoleModel", "RecBoleSamples"]
