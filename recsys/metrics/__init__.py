"""How good a ranking is: ranks of the relevant items, and metrics of those ranks."""

from recsys.metrics.functional import (
    Ties,
    average_precision,
    capped_recall,
    hit_rate,
    mrr,
    ndcg,
    precision,
    recall,
    target_ranks,
)
from recsys.metrics.ranking import DEFAULT_CUTOFFS, DEFAULT_METRICS, RankingMetrics, RankMetric

__all__ = [
    "DEFAULT_CUTOFFS",
    "DEFAULT_METRICS",
    "RankMetric",
    "RankingMetrics",
    "Ties",
    "average_precision",
    "capped_recall",
    "hit_rate",
    "mrr",
    "ndcg",
    "precision",
    "recall",
    "target_ranks",
]
