"""Ranking metrics accumulated over batches and processes."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor
from torchmetrics import Metric

from recsys.metrics.functional import average_precision, hit_rate, mrr, ndcg, precision, recall


class RankMetric(Protocol):
    """Ranks [B, T], num_relevant [B] -> one value per user [B]; see `recsys.metrics.functional`."""

    def __call__(self, ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor: ...


DEFAULT_METRICS: Mapping[str, RankMetric] = MappingProxyType(
    {
        "hr": hit_rate,
        "recall": recall,
        "ndcg": ndcg,
        "mrr": mrr,
        "precision": precision,
        "map": average_precision,
    }
)
DEFAULT_CUTOFFS = (5, 10, 20)


class RankingMetrics(Metric):
    """Mean over users of several metrics at several cutoffs, all from one matrix of ranks.

    metrics: name -> function; the results are called `name@cutoff`, as in `ndcg@10`.
    cutoffs: list lengths k, each at least 1.
    label: what stands before each name, as in `uniform_100/ndcg@10`: a protocol whose results are not those of the full
        ranking says so in their name.
    The state is a float64 sum per metric and cutoff and the number of users, so a result is a mean over users
    whatever the batch size or the number of processes.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False

    sums: Tensor  # [M * K] float64
    num_users: Tensor  # [] int64

    def __init__(
        self,
        *,
        metrics: Mapping[str, RankMetric] = DEFAULT_METRICS,
        cutoffs: Sequence[int] = DEFAULT_CUTOFFS,
        label: str | None = None,
    ) -> None:
        super().__init__()
        if not metrics:
            raise ValueError("metrics must name at least one metric, got none; add one such as ndcg.")
        if not cutoffs or min(cutoffs) < 1:
            raise ValueError(f"cutoffs must be one or more list lengths from 1 up, got {list(cutoffs)}.")
        self.metrics = dict(metrics)
        self.cutoffs = tuple(cutoffs)
        self.prefix = f"{label}/" if label else ""
        size = len(self.metrics) * len(self.cutoffs)
        self.add_state("sums", torch.zeros(size, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("num_users", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    @property
    def names(self) -> list[str]:
        """Names of the results, in the order of the state."""
        return [f"{self.prefix}{name}@{k}" for name in self.metrics for k in self.cutoffs]

    def per_user(self, ranks: Tensor, num_relevant: Tensor) -> dict[str, Tensor]:
        """Each metric for each user: ranks [B, T], num_relevant [B] -> name -> [B] float32.

        Raises ValueError where a user has no relevant item: no metric is defined there.
        """
        if (num_relevant < 1).any():
            row = int((num_relevant < 1).nonzero()[0])
            raise ValueError(
                f"num_relevant must be at least 1 for every user, got {int(num_relevant[row])} in row {row}; "
                "leave users without relevant items out of the evaluation."
            )
        values = [metric(ranks, num_relevant, k=k) for metric in self.metrics.values() for k in self.cutoffs]
        return dict(zip(self.names, values, strict=True))

    def update(self, ranks: Tensor, num_relevant: Tensor) -> None:
        """Add a batch of users: ranks [B, T] from `target_ranks`, num_relevant [B]."""
        values = torch.stack(list(self.per_user(ranks, num_relevant).values()))  # [M * K, B]
        self.sums += values.double().sum(dim=1)
        self.num_users += len(ranks)

    def compute(self) -> dict[str, Tensor]:
        """Means over all users seen, name -> [] float64. Raises ValueError before the first user."""
        if self.num_users == 0:
            raise ValueError("ranking metrics need at least one user, got none; is the evaluation split empty?")
        return dict(zip(self.names, self.sums / self.num_users, strict=True))
