"""Metrics of what is shown: novelty, popularity, diversity, serendipity, coverage; and the area under the curve.

Each is built for a catalogue: its popularities are those of training. K items are shown to each of B users; V items.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recsys.data.attributes import ItemAttributes
from recsys.data.catalogue import Catalogue
from recsys.metrics.functional import capped_recall
from recsys.metrics.ranked import ListMetric, PerUserMetric, Ranked, at_cutoffs, check_cutoffs


class AUC(PerUserMetric):
    """Share of the pairs (target, other candidate) that are in the right order, ties half; from ranks alone.

    With ranks r_1..r_T among C candidates: 1 - (sum r - T (T + 1) / 2) / (T (C - T)). A target that was not ranked
    stands below all others. Rendle et al., UAI 2009. NaN where all candidates are relevant.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(["auc"])

    def values(self, ranked: Ranked) -> Tensor:
        is_target = torch.arange(ranked.ranks.shape[1], device=ranked.ranks.device) < ranked.num_relevant[:, None]
        ordered = ranked.ranks.double().sort(dim=1).values  # ranked targets, then those removed, then padding
        unranked = is_target & ordered.isinf()
        others = ranked.num_candidates - (is_target & ~unranked).sum(1)  # [B]
        place = torch.arange(1, ordered.shape[1] + 1, device=ordered.device)
        above = (ordered - place).where(~unranked, others[:, None].double())  # other candidates above each target
        wrong = above.where(is_target, 0).sum(1)
        return (1 - wrong / (ranked.num_relevant * others))[None]


class CappedRecall(PerUserMetric):
    """capped_recall@k: share of the targets that k places could have held; see `functional.capped_recall`."""

    def __init__(self, catalogue: Catalogue, *, cutoffs: Sequence[int] = (10,)) -> None:
        self.cutoffs = check_cutoffs(cutoffs)
        super().__init__([f"capped_recall@{k}" for k in self.cutoffs])

    def values(self, ranked: Ranked) -> Tensor:
        return torch.stack([capped_recall(ranked.ranks, ranked.num_relevant, k=k) for k in self.cutoffs])


class _PerItem(PerUserMetric):
    """Mean over the first k items shown of a number that each item has: table [V]."""

    table: Tensor

    def __init__(self, name: str, table: np.ndarray, *, cutoffs: Sequence[int]) -> None:
        self.cutoffs = check_cutoffs(cutoffs)
        super().__init__([f"{name}@{k}" for k in self.cutoffs])
        self.depth = max(self.cutoffs)
        self.register_buffer("table", torch.from_numpy(table.astype(np.float64)), persistent=False)

    def values(self, ranked: Ranked) -> Tensor:
        return at_cutoffs(self.table[ranked.top.clamp(min=0)], ranked.top >= 0, self.cutoffs)


class Novelty(_PerItem):
    """novelty@k: mean self-information of the items shown, -log2(share of the training users who have the item).

    Zhou et al., PNAS 2010. An item that nobody has counts as if one user had it.
    """

    def __init__(self, catalogue: Catalogue, *, cutoffs: Sequence[int] = (10,)) -> None:
        users = int((catalogue.train.lengths > 0).sum())
        super().__init__("novelty", -np.log2(users_of_items(catalogue).clip(min=1) / max(users, 1)), cutoffs=cutoffs)


class AveragePopularity(_PerItem):
    """popularity@k: mean number of training interactions of the items shown (ARP, Yin et al., VLDB 2012)."""

    def __init__(self, catalogue: Catalogue, *, cutoffs: Sequence[int] = (10,)) -> None:
        super().__init__("popularity", catalogue.counts, cutoffs=cutoffs)


class Diversity(PerUserMetric):
    """diversity_ATTRIBUTE@k: mean over pairs of items shown of 1 - cosine of their attribute sets.

    Intra-list diversity, Ziegler et al., WWW 2005. An item without attributes is like no other. NaN for one item.
    The sum over pairs comes from the norm of the summed vectors, so no pair is ever formed.
    """

    reads_attributes = True

    def __init__(self, catalogue: Catalogue, *, cutoffs: Sequence[int] = (10,)) -> None:
        self.cutoffs = check_cutoffs(cutoffs)
        if not catalogue.attributes:
            raise ValueError("diversity needs attributes of the items and the data has none; set data.attributes")
        kinds = catalogue.attributes
        super().__init__([f"diversity_{kind.name}@{k}" for kind in kinds for k in self.cutoffs])
        self.depth = max(self.cutoffs)
        self.kinds = kinds

    def values(self, ranked: Ranked) -> Tensor:
        return torch.cat([self._of_kind(ranked, kind.rows.padded(_width(kind), -1)) for kind in self.kinds])

    def _of_kind(self, ranked: Ranked, attributes: np.ndarray) -> Tensor:
        """attributes: [V, A] values, padded with -1 -> [len(cutoffs), B]."""
        table = torch.from_numpy(attributes.astype(np.int64)).to(ranked.top.device)
        shown = ranked.top >= 0
        own = table[ranked.top.clamp(min=0)].masked_fill(~shown[:, :, None], -1)  # [B, K, A]
        weight = (own >= 0).sum(2).clamp(min=1).double().rsqrt()[:, :, None] * (own >= 0)  # unit vectors
        result = []
        for k in self.cutoffs:
            total = own.new_zeros((len(own), int(table.max()) + 1), dtype=torch.float64)
            total.scatter_add_(1, own[:, :k].clamp(min=0).flatten(1), weight[:, :k].flatten(1))
            squares = weight[:, :k].square().sum((1, 2))  # 1 for each item that has attributes
            count = shown[:, :k].sum(1)
            result.append(1 - (total.square().sum(1) - squares) / (count * (count - 1)))
        return torch.stack(result)


class Serendipity(PerUserMetric):
    """serendipity@k: mean over the k places of hit x max(0, own - popular), what popularity would not have found.

    An item's `own` is 1 - (place - 1) / V, its `popular` the same of its place in the order of training counts (Ge et
    al., RecSys 2010, in the form of the RecTools library).
    """

    table: Tensor

    def __init__(self, catalogue: Catalogue, *, cutoffs: Sequence[int] = (10,)) -> None:
        self.cutoffs = check_cutoffs(cutoffs)
        super().__init__([f"serendipity@{k}" for k in self.cutoffs])
        self.depth = max(self.cutoffs)
        place = np.empty(catalogue.num_items)
        place[np.argsort(-catalogue.counts, kind="stable")] = np.arange(catalogue.num_items)
        self.register_buffer("table", torch.from_numpy(1 - place / catalogue.num_items), persistent=False)

    def values(self, ranked: Ranked) -> Tensor:
        place = torch.arange(ranked.top.shape[1], device=ranked.top.device)
        surprise = (1 - place / len(self.table) - self.table[ranked.top.clamp(min=0)]).clamp(min=0)  # [B, K]
        sums = (surprise * ranked.hits()).double().cumsum(1)
        return torch.stack([sums[:, min(k, sums.shape[1]) - 1] / k for k in self.cutoffs])


class Concentration(ListMetric):
    """coverage@k: share of the catalogue that anyone is shown; gini@k: how unevenly it is shown, 0 is evenly.

    gini = sum_i (2 i - V - 1) x_i / (V sum x), with x_1 <= ... <= x_V how often each item is shown. The state is these
    counts per cutoff, [len(cutoffs), V] int64.
    """

    counts: Tensor

    def __init__(self, catalogue: Catalogue, *, cutoffs: Sequence[int] = (10,)) -> None:
        super().__init__()
        self.cutoffs = check_cutoffs(cutoffs)
        self.depth = max(self.cutoffs)
        self.num_items = catalogue.num_items
        state = torch.zeros(len(self.cutoffs), self.num_items, dtype=torch.int64)
        self.add_state("counts", state, dist_reduce_fx="sum")

    def add(self, ranked: Ranked) -> dict[str, Tensor]:
        self.update(ranked.top)
        return {}

    def update(self, top: Tensor) -> None:
        """Add a batch of lists [B, K]."""
        for row, k in zip(self.counts, self.cutoffs, strict=True):
            shown = top[:, :k].flatten()
            row += torch.bincount(shown[shown >= 0], minlength=self.num_items)

    def compute(self) -> dict[str, Tensor]:
        """Name -> [] float64."""
        ordered = self.counts.double().sort(dim=1).values
        places = torch.arange(1, self.num_items + 1, device=ordered.device, dtype=torch.float64)
        gini = (ordered @ (2 * places - self.num_items - 1)) / (self.num_items * ordered.sum(1))
        coverage = (self.counts > 0).double().mean(1)
        names = [f"{name}@{k}" for name in ("coverage", "gini") for k in self.cutoffs]
        return dict(zip(names, torch.cat([coverage, gini]), strict=True))


def users_of_items(catalogue: Catalogue) -> np.ndarray:
    """How many users have each item in training, [V]."""
    rows, num_items = catalogue.train, catalogue.num_items
    pairs = np.unique(rows.row_ids() * num_items + rows.flat())
    return np.bincount(pairs % num_items, minlength=num_items)


def _width(kind: ItemAttributes) -> int:
    return max(int(kind.rows.lengths.max(initial=0)), 1)
