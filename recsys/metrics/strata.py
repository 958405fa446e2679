"""Accuracy by stratum: how popular a target is, how long a user's history, whether training met the user."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from recsys.data.catalogue import Catalogue
from recsys.metrics.functional import hit_rate, ndcg
from recsys.metrics.ranked import PerUserMetric, Ranked, check_cutoffs
from recsys.metrics.ranking import RankMetric


class ItemStrata(PerUserMetric):
    """items_1of3/recall@k: share of a user's targets in that stratum that are among the first k.

    The strata hold equal shares of the training interactions: in the first are the few most popular items, in the last
    the long tail with all that was never trained on. A user without a target in a stratum does not count there.
    """

    stratum: Tensor

    def __init__(self, catalogue: Catalogue, *, num_strata: int = 3, cutoffs: Sequence[int] = (10,)) -> None:
        self.cutoffs = check_cutoffs(cutoffs)
        if num_strata < 2:
            raise ValueError(f"num_strata ({num_strata}) must be at least 2; set it to 3")
        self.num_strata = num_strata
        names = [f"items_{part}of{num_strata}/recall@{k}" for part in range(1, num_strata + 1) for k in self.cutoffs]
        super().__init__(names)
        self.register_buffer("stratum", torch.from_numpy(popularity_strata(catalogue.counts, num_strata)), False)

    def values(self, ranked: Ranked) -> Tensor:
        stratum = self.stratum[ranked.targets.clamp(min=0)].masked_fill(ranked.targets < 0, -1)  # [B, T]
        rows = []
        for part in range(self.num_strata):
            inside = stratum == part
            rows += [(inside & (ranked.ranks <= k)).sum(1).double() / inside.sum(1) for k in self.cutoffs]  # 0/0: NaN
        return torch.stack(rows)


class _UserStrata(PerUserMetric):
    """Metrics of ranks, of the users of each stratum alone: label/name@k.

    metrics: name -> function, see RankingMetrics; None is HR and NDCG.
    """

    def __init__(
        self, labels: Sequence[str], *, metrics: Mapping[str, RankMetric] | None, cutoffs: Sequence[int]
    ) -> None:
        self.cutoffs = check_cutoffs(cutoffs)
        self.functions = dict(metrics or {"hr": hit_rate, "ndcg": ndcg})
        super().__init__([f"{label}/{name}@{k}" for label in labels for name in self.functions for k in self.cutoffs])

    def inside(self, ranked: Ranked) -> list[Tensor]:
        """Who is in each stratum, [B] bool each."""
        raise NotImplementedError

    def values(self, ranked: Ranked) -> Tensor:
        every = [
            metric(ranked.ranks, ranked.num_relevant, k=k) for metric in self.functions.values() for k in self.cutoffs
        ]
        values = torch.stack(every).double()  # [M, B]
        return torch.cat([values.masked_fill(~mask, torch.nan) for mask in self.inside(ranked)])


class HistoryStrata(_UserStrata):
    """history_21-50/ndcg@k: the users whose input holds so many items.

    edges: the longest history of each stratum but the last, which is open.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        edges: Sequence[int] = (20, 50, 100),
        metrics: Mapping[str, RankMetric] | None = None,
        cutoffs: Sequence[int] = (10,),
    ) -> None:
        if not edges or list(edges) != sorted(set(edges)) or edges[0] < 1:
            raise ValueError(f"edges {list(edges)} must ascend from 1 or more; set them to [20, 50, 100]")
        self.bounds = list(pairwise((0, *edges, 2**62)))
        labels = [f"history_{low + 1}-{high}" for low, high in self.bounds[:-1]] + [f"history_over_{edges[-1]}"]
        super().__init__(labels, metrics=metrics, cutoffs=cutoffs)

    def inside(self, ranked: Ranked) -> list[Tensor]:
        return [(ranked.history > low) & (ranked.history <= high) for low, high in self.bounds]


class WarmthStrata(_UserStrata):
    """warm_users/ndcg@k, cold_users/ndcg@k: those who have training rows, and those whom training never met."""

    warm: Tensor

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        metrics: Mapping[str, RankMetric] | None = None,
        cutoffs: Sequence[int] = (10,),
    ) -> None:
        super().__init__(("warm_users", "cold_users"), metrics=metrics, cutoffs=cutoffs)
        self.register_buffer("warm", torch.from_numpy(catalogue.train.lengths > 0), persistent=False)

    def inside(self, ranked: Ranked) -> list[Tensor]:
        warm = self.warm[ranked.users]
        return [warm, ~warm]


def popularity_strata(counts: np.ndarray, num_strata: int) -> np.ndarray:
    """Stratum of each item, [V] int64: 0 for the most popular; the interactions are shared out as evenly as they go.

    An item belongs where the middle of its interactions lies when all are laid end to end, the most popular first.
    """
    order = np.argsort(-counts, kind="stable")
    ends = np.cumsum(counts[order])
    middle = (ends - counts[order] / 2) / max(ends[-1], 1)
    stratum = np.empty(len(counts), dtype=np.int64)
    stratum[order] = np.minimum((middle * num_strata).astype(np.int64), num_strata - 1)
    stratum[counts == 0] = num_strata - 1
    return stratum
