"""What metrics beyond ranks are told of a batch, and how they accumulate."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torchmetrics import Metric


class Ranked(NamedTuple):
    """A ranked batch. B users, T targets, K items shown.

    ranks: [B, T] float, +inf at padding. num_relevant: [B]. num_candidates: [B], items that were ranked.
    targets: [B, T] item ids, -1 at padding. top: [B, K] item ids, best first, -1 where fewer were ranked.
    history: [B], items of each user's input. users: [B], their indices.
    """

    ranks: Tensor
    num_relevant: Tensor
    num_candidates: Tensor
    targets: Tensor
    top: Tensor
    history: Tensor
    users: Tensor

    def hits(self) -> Tensor:
        """Whether each item shown is relevant, [B, K] bool."""
        return ((self.top[:, :, None] == self.targets[:, None, :]) & (self.top >= 0)[:, :, None]).any(2)


class ListMetric(Metric):
    """A metric of ranked batches whose state adds up over batches and processes.

    reads_attributes: whether it needs the items' attributes. depth: how many items of each list it looks at.
    """

    is_differentiable = False
    full_state_update = False
    reads_attributes: ClassVar[bool] = False
    depth: int = 0

    def add(self, ranked: Ranked) -> dict[str, Tensor]:
        """Accumulates a batch; returns what it knows of each user, name -> [B], NaN where it is not defined."""
        raise NotImplementedError


class PerUserMetric(ListMetric):
    """Values per user, averaged over the users for whom they are defined.

    names: of its values. The state is a float64 sum and a count per name.
    """

    sums: Tensor  # [M] float64
    counts: Tensor  # [M] int64

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)
        self.add_state("sums", torch.zeros(len(self.names), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("counts", torch.zeros(len(self.names), dtype=torch.int64), dist_reduce_fx="sum")

    def values(self, ranked: Ranked) -> Tensor:
        """One row per name, [M, B] float, NaN where a user has none."""
        raise NotImplementedError

    def add(self, ranked: Ranked) -> dict[str, Tensor]:
        values = self.values(ranked)
        self.update(values)
        return dict(zip(self.names, values, strict=True))

    def update(self, values: Tensor) -> None:
        """Add a batch: [M, B]."""
        self.sums += values.double().nansum(dim=1)
        self.counts += (~values.isnan()).sum(dim=1)

    def compute(self) -> dict[str, Tensor]:
        """Means, name -> [] float64; NaN where no user has a value."""
        return dict(zip(self.names, self.sums / self.counts, strict=True))


def at_cutoffs(per_place: Tensor, shown: Tensor, cutoffs: Sequence[int]) -> Tensor:
    """Means over the first k places, one row per cutoff, [len(cutoffs), B].

    per_place: [B, K], anything where nothing is shown. shown: [B, K] bool. A shorter list counts what it has.
    """
    sums, counts = (per_place.double() * shown).cumsum(1), shown.cumsum(1)
    last = [min(k, sums.shape[1]) - 1 for k in cutoffs]
    return (sums[:, last] / counts[:, last]).T


def check_cutoffs(cutoffs: Sequence[int]) -> tuple[int, ...]:
    """The cutoffs; ValueError where there is none or one below 1."""
    if not cutoffs or min(cutoffs) < 1:
        raise ValueError(f"cutoffs must be one or more list lengths from 1 up, got {list(cutoffs)}.")
    return tuple(cutoffs)
