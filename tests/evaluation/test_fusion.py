"""Fusion of top lists against ranx, and the greedy selection against trying all mixtures."""

from itertools import product

import numpy as np
import pytest
import ranx
import torch

from recsys.data.batches import EvalBatch
from recsys.evaluation.fusion import POINTS, Ensemble, TopLists, select_greedily
from recsys.options.ensemble import HOW

NUM_ITEMS, NUM_USERS, DEPTH = 30, 6, 8


@pytest.fixture
def members() -> list[TopLists]:
    """Three members' lists on scales of their own; the users' indices have gaps."""
    rng = np.random.default_rng(0)
    users = np.array([0, 2, 3, 5, 8, 9])
    found = []
    for scale in (1.0, 40.0, 0.01):
        scores = scale * rng.normal(size=(NUM_USERS, NUM_ITEMS))
        items = np.argsort(-scores)[:, :DEPTH]
        found.append(TopLists(users, items, np.take_along_axis(scores, items, 1)))
    return found


def batch(users: list[int]) -> EvalBatch:
    none = torch.zeros(0, dtype=torch.long)
    rows = torch.zeros(len(users), 1, dtype=torch.long)
    return EvalBatch(torch.tensor(users), rows, rows, none, none)


def ranx_run(lists: TopLists) -> ranx.Run:
    rows = zip(lists.users, lists.items, lists.scores, strict=True)
    return ranx.Run(
        {f"u{user}": {f"i{i}": float(s) for i, s in zip(items, scores, strict=True)} for user, items, scores in rows}
    )


def by_hand(how: str, members: list[TopLists], weights: list[float], row: int) -> np.ndarray:
    """One user's scores, item by item from the formulas."""
    scores = np.zeros(NUM_ITEMS)
    for lists, weight in zip(members, weights, strict=True):
        low, high = lists.scores[row].min(), lists.scores[row].max()
        for place, (item, score) in enumerate(zip(lists.items[row], lists.scores[row], strict=True), start=1):
            scores[item] += weight * {"soft": (score - low) / (high - low), "rank": 1 / (60 + place)}[how]
    return scores


@pytest.mark.parametrize("how", ["soft", "rank"])
def test_scores_are_those_of_the_formulas(how: str, members: list[TopLists]) -> None:
    ensemble = Ensemble(members, points=POINTS[how], weights=[0.5, 0.3, 0.2], num_items=NUM_ITEMS)
    for row, scores in zip((4, 0, 2), ensemble.score_batch(batch([8, 0, 3])), strict=True):
        np.testing.assert_allclose(scores.numpy(), by_hand(how, members, [0.5, 0.3, 0.2], row))


@pytest.mark.parametrize(
    ("how", "norm", "method", "params"),
    [
        ("soft", "min-max", "wsum", {"weights": [0.5, 0.3, 0.2]}),
        ("soft", "min-max", "sum", None),
        ("rank", None, "rrf", {"k": 60}),
    ],
)
def test_scores_are_those_of_ranx(
    how: str, norm: str | None, method: str, params: dict | None, members: list[TopLists]
) -> None:
    theirs = ranx.fuse([ranx_run(lists) for lists in members], norm=norm, method=method, params=params)
    weights = (params or {}).get("weights", [1.0] * 3)
    ours = Ensemble(members, points=POINTS[how], weights=weights, num_items=NUM_ITEMS).score_batch(batch([8, 0, 3]))
    for row, user in enumerate((8, 0, 3)):
        expected = np.zeros(NUM_ITEMS)
        for item, score in theirs.run[f"u{user}"].items():
            expected[int(item[1:])] = score
        np.testing.assert_allclose(ours[row].numpy(), expected, atol=1e-6)


def test_hard_votes_count_members_and_ranks_break_ties() -> None:
    users = np.array([0])
    rows = [np.arange(12), np.arange(1, 13), np.array([11, 0, *range(2, 12 - 1), 20])]
    lists = [TopLists(users, row[None], -np.arange(12.0)[None]) for row in rows]
    scores = Ensemble(lists, points=POINTS["hard"], weights=[1, 1, 1], num_items=25).score_batch(batch([0]))[0]
    votes = np.zeros(25)
    for row in rows:
        votes[row[:10]] += 1
    order = scores.argsort(descending=True).numpy()
    assert (np.diff(votes[order]) <= 0).all()
    np.testing.assert_allclose(np.floor(scores.numpy()), votes)


def test_short_lists_give_nothing_to_items_that_are_not_there() -> None:
    lists = TopLists(np.array([0]), np.array([[3, -1]]), np.array([[2.0, 0.0]]))
    for points in POINTS.values():
        scores = Ensemble([lists], points=points, weights=[1.0], num_items=5).score_batch(batch([0]))[0]
        assert scores.nonzero().flatten().tolist() == [3]


def test_the_greedy_selection_finds_the_best_mixture_of_a_concave_value() -> None:
    target = np.array([0.5, 0.25, 0.25])

    def value(weights: list[float]) -> float:
        return -float(np.square(np.array(weights) / sum(weights) - target).sum())

    every = [mix for mix in product(range(5), repeat=3) if sum(mix) == 4]
    best = max(every, key=value)
    assert select_greedily(3, value, rounds=4) == pytest.approx([count / 4 for count in best])
    assert select_greedily(2, lambda weights: weights[0] - weights[1], rounds=5) == [1.0, 0.0]


def test_the_command_knows_every_way() -> None:
    assert set(HOW) == set(POINTS)
