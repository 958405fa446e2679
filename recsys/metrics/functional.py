"""Ranking metrics as pure functions: scores -> ranks of the relevant items -> one value per user.

Relevance is binary. Every metric takes `ranks` [B, T] from `target_ranks` (+inf where a user has fewer than
T relevant items), `num_relevant` [B] (at least 1) and the cutoff `k`, and returns [B], between 0 and 1.
A target is hit where rank <= k. The rank of a tie may be a fraction; the formulas take it as it is.
"""

from enum import Enum

import torch
from torch import Tensor

from recsys.metrics.counting import counts


class Ties(Enum):
    """Where a target stands among the items it ties with; the value: the share of them before it."""

    BEST = 0.0
    AVERAGE = 0.5
    WORST = 1.0


def target_ranks(scores: Tensor, targets: Tensor, *, ties: Ties = Ties.AVERAGE) -> Tensor:
    """1-based rank of each target among all items, [B, T] float32, +inf at padding.

        rank = 1 + #(greater) + w * #(equal, not a target of this row) + #(equal targets to its left)

    with w the weight of `ties`. So tied targets of one row get ranks one apart, as in any list that could be
    shown, and no metric exceeds 1. Which of them comes first follows their columns and changes no metric.
    A score of -inf marks an item removed from the list. A target that is itself removed has rank +inf, as padding
    has: it can't be recommended, so it is no hit at any cutoff.

    scores: [B, V], higher is better. targets: [B, T] int64 item ids, distinct within a row, padded with -1.
    Raises ValueError where a score is NaN or a row lists a target twice.
    Ties as an explicit argument follow GRU4Rec's own evaluation code (modes standard, median, conservative).
    """
    _refuse_repeats(targets)
    present = targets >= 0
    target_scores = scores.gather(1, targets.clamp(min=0))  # [B, T]
    greater, at_least = counts(scores, target_scores)
    tied_targets, tied_before = _ties_among_targets(target_scores.where(present, -torch.inf))
    ranks = 1 + greater + ties.value * (at_least - greater - tied_targets) + tied_before
    ranks = ranks.float()
    return ranks.masked_fill(~present | (target_scores == -torch.inf), torch.inf)


def _refuse_repeats(targets: Tensor) -> None:
    ordered = targets.sort(dim=1).values
    repeated = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if repeated.any():
        row, column = (int(index) for index in repeated.nonzero()[0])
        raise ValueError(
            f"targets must be distinct within a row, got item {int(ordered[row, column])} twice "
            f"in row {row}; list each relevant item once."
        )


def _ties_among_targets(target_scores: Tensor) -> tuple[Tensor, Tensor]:
    """Targets of the row with the same score, each itself included, and how many of those are to its left."""
    ordered, order = target_scores.sort(dim=1, stable=True)
    place = order.argsort(dim=1)
    first = torch.searchsorted(ordered, target_scores)
    return torch.searchsorted(ordered, target_scores, right=True) - first, place - first


def hit_rate(ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor:
    """1 where at least one target is hit, else 0. Success@k in trec_eval."""
    return (ranks <= k).any(dim=1).to(ranks.dtype)


def recall(ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor:
    """#hits / #relevant. At most k / #relevant for users with more than k relevant items; as in trec_eval."""
    return (ranks <= k).sum(dim=1) / num_relevant


def capped_recall(ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor:
    """#hits / min(k, #relevant), so that a perfect list scores 1.

    "Recall@R" of Mult-VAE (Liang et al., "Variational Autoencoders for Collaborative Filtering", WWW 2018).
    """
    return (ranks <= k).sum(dim=1) / num_relevant.clamp(max=k)


def precision(ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor:
    """#hits / k, also where fewer than k items are relevant; as in trec_eval."""
    return (ranks <= k).sum(dim=1) / k


def ndcg(ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor:
    """DCG@k / ideal DCG@k, with DCG@k = sum over hits of 1 / log2(1 + rank).

    The ideal list has its min(k, #relevant) first places hit.

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002, in the form with
    log2(1 + rank) that trec_eval (ndcg_cut) and most recommendation papers use.
    """
    gained = ((ranks <= k) / torch.log2(1 + ranks)).sum(dim=1)
    places = torch.arange(1, k + 1, dtype=ranks.dtype, device=ranks.device)
    ideal = torch.log2(1 + places).reciprocal().cumsum(dim=0)  # [k]
    return gained / ideal[num_relevant.clamp(max=k) - 1]


def mrr(ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor:
    """1 / (rank of the first hit), 0 without a hit. RR@k in ir-measures."""
    best = ranks.amin(dim=1)
    return (best <= k) / best


def average_precision(ranks: Tensor, num_relevant: Tensor, *, k: int) -> Tensor:
    """Precision at each hit, summed, over #relevant: sum over j with r_j <= k of j / r_j, over #relevant.

    r_1 < r_2 < ... are the user's ranks in ascending order, so j is the number of targets found at rank r_j.
    The mean over users is MAP@k. The denominator is that of trec_eval (map_cut), ir-measures and ranx;
    Kaggle's MAP@k and RecBole's divide by min(k, #relevant) instead.
    """
    ordered = ranks.sort(dim=1).values
    found = torch.arange(1, ranks.shape[1] + 1, dtype=ranks.dtype, device=ranks.device)
    return ((ordered <= k) * found / ordered).sum(dim=1) / num_relevant
