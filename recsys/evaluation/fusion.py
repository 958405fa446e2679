"""Several models' top lists made into one score per item.

U users, K items per list, V items in the catalogue.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recsys.data.batches import EvalBatch

RRF = 60  # of reciprocal rank fusion: how little the first places stand out
BALLOT = 10  # items that a member votes for


class TopLists(NamedTuple):
    """The best items of each user, best first.

    users: [U] int64, user index, ascending. items: [U, K] int64, -1 where fewer are ranked. scores: [U, K] float64.
    """

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray


Points = Callable[[TopLists], np.ndarray]


def score_points(lists: TopLists) -> np.ndarray:
    """A member's scores, from 1 for the user's best item to 0 for the last of the list, [U, K].

    Summed they are CombSUM (Fox and Shaw, TREC 1994) over min-max normalised scores (Lee, SIGIR 1997): models whose
    scores are on other scales count alike. 1 for all where all are equal.
    """
    present = lists.items >= 0
    low = np.where(present, lists.scores, np.inf).min(1, keepdims=True)
    width = np.where(present, lists.scores, -np.inf).max(1, keepdims=True) - low
    return np.where(present, np.where(width > 0, (lists.scores - low) / np.where(width > 0, width, 1), 1.0), 0.0)


def rank_points(lists: TopLists) -> np.ndarray:
    """1 / (60 + rank), [U, K]: reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009)."""
    return np.where(lists.items >= 0, 1 / (RRF + 1 + np.arange(lists.items.shape[1])), 0.0)


def vote_points(lists: TopLists) -> np.ndarray:
    """A vote for each of a member's ten best items, [U, K]; among items of as many votes reciprocal ranks decide."""
    is_voted = np.arange(lists.items.shape[1]) < BALLOT
    return np.where(is_voted & (lists.items >= 0), 1.0, 0.0) + rank_points(lists) / (RRF * RRF)


POINTS: dict[str, Points] = {"soft": score_points, "rank": rank_points, "hard": vote_points}


class Ensemble:
    """Scores each item by the weighted sum of what the members give it; an item in nobody's list has 0.

    members: lists of the same users, in the same order. points: see above. weights: one per member, at least 0.
    """

    def __init__(
        self, members: Sequence[TopLists], *, points: Points, weights: Sequence[float], num_items: int
    ) -> None:
        self.users = members[0].users
        self.items = [torch.from_numpy(lists.items) for lists in members]
        self.points = [torch.from_numpy(points(lists)) for lists in members]
        self.weights = list(weights)
        self.num_items = num_items

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """-> [B, V] float64."""
        rows = torch.from_numpy(np.searchsorted(self.users, batch.users.cpu().numpy()))
        scores = torch.zeros(len(rows), self.num_items, dtype=torch.float64)
        for items, points, weight in zip(self.items, self.points, self.weights, strict=True):
            if weight > 0:
                chosen = items[rows]  # [B, K]
                scores.scatter_add_(1, chosen.clamp(min=0), weight * points[rows].masked_fill(chosen < 0, 0))
        return scores.to(batch.items.device)


def select_greedily(
    num_members: int, value: Callable[[Sequence[float]], float], *, rounds: int, tell: Callable[[], None] = lambda: None
) -> list[float]:
    """Weights of the best mixture found: each round adds the member, again or anew, that raises `value` most.

    Ensemble selection with replacement (Caruana et al., ICML 2004): weights are shares of the rounds, up to the round
    that was best. value: of weights, higher is better. tell: called for every mixture tried.
    """
    counts, best, found = np.zeros(num_members), -np.inf, np.ones(num_members)
    for _ in range(rounds):
        values = []
        for member in range(num_members):
            values.append(value([*(counts + np.eye(num_members)[member])]))
            tell()
        counts[int(np.argmax(values))] += 1
        if max(values) > best:
            best, found = max(values), counts.copy()
    return [float(weight) for weight in found / found.sum()]
