"""Ranks against positions read off an explicitly sorted list."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.metrics import Ties, target_ranks

INF = torch.inf


def positions(scores: list[float], targets: list[int], *, targets_first: bool) -> list[int]:
    """1-based place of each target in the list as shown, ties won or lost by all targets together."""
    order = sorted(
        range(len(scores)),
        key=lambda item: (
            -scores[item],
            (item not in targets) if targets_first else (item in targets),
            targets.index(item) if item in targets else 0,
        ),
    )
    return [order.index(target) + 1 for target in targets]


def expected(scores: list[float], targets: list[int], ties: Ties) -> list[float]:
    best = positions(scores, targets, targets_first=True)
    worst = positions(scores, targets, targets_first=False)
    mix = {Ties.BEST: 0.0, Ties.AVERAGE: 0.5, Ties.WORST: 1.0}[ties]
    ranks = [(1 - mix) * b + mix * w for b, w in zip(best, worst, strict=True)]
    return [INF if scores[t] == -INF else rank for t, rank in zip(targets, ranks, strict=True)]


@st.composite
def ragged_batch(draw: st.DrawFn) -> tuple[list[list[float]], list[list[int]]]:
    """Few distinct scores, so that most of them tie, some items removed, and rows with 1 to V targets."""
    num_items = draw(st.integers(1, 7))
    score = st.sampled_from([-INF, -1.5, 0.0, 2.0, INF])
    rows = draw(st.lists(st.lists(score, min_size=num_items, max_size=num_items), min_size=1, max_size=4))
    items = st.permutations(range(num_items))
    return rows, [draw(items)[: draw(st.integers(1, num_items))] for _ in rows]


def padded(rows: list[list[int]]) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], True, -1)


@given(batch=ragged_batch(), ties=st.sampled_from(Ties))
def test_ranks_are_the_places_in_a_sorted_list(batch: tuple, ties: Ties) -> None:
    scores, targets = batch
    ranks = target_ranks(torch.tensor(scores), padded(targets), ties=ties)
    for row_ranks, row_scores, row_targets in zip(ranks.tolist(), scores, targets, strict=True):
        assert row_ranks[: len(row_targets)] == expected(row_scores, row_targets, ties)
        assert all(rank == INF for rank in row_ranks[len(row_targets) :])


@pytest.mark.parametrize("ties", Ties)
@pytest.mark.parametrize("width", [150, 151, 300])
def test_many_targets_are_ranked_the_same_way(ties: Ties, width: int) -> None:
    scores = torch.randint(-40, 40, (2, 300)).float()
    targets = torch.stack([torch.randperm(300)[:width] for _ in range(2)])
    ranks = target_ranks(scores, targets, ties=ties)
    assert ranks.tolist() == [
        expected(row.tolist(), items.tolist(), ties) for row, items in zip(scores, targets, strict=True)
    ]


@pytest.mark.parametrize(("ties", "rank"), [(Ties.BEST, 2.0), (Ties.AVERAGE, 3.0), (Ties.WORST, 4.0)])
def test_one_target_tied_with_two_items_below_one(ties: Ties, rank: float) -> None:
    assert target_ranks(torch.tensor([[9.0, 5, 5, 5, 1]]), torch.tensor([[2]]), ties=ties).item() == rank


@pytest.mark.parametrize("ties", Ties)
def test_a_removed_target_is_never_retrieved(ties: Ties) -> None:
    scores = torch.tensor([[-INF, -INF, 1.0, -INF]])
    assert target_ranks(scores, torch.tensor([[0, 2, -1]]), ties=ties).tolist() == [[INF, 1, INF]]


def test_constant_scores_give_the_middle_rank() -> None:
    assert target_ranks(torch.zeros(1, 101), torch.tensor([[7]])).item() == 51


def test_half_precision_scores_give_exact_ranks() -> None:
    scores = torch.arange(5000.0).bfloat16()[None]  # bfloat16 can't hold ranks above 256
    ahead, tied = int((scores > scores[0, 1001]).sum()), int((scores == scores[0, 1001]).sum())
    assert tied > 1
    assert target_ranks(scores, torch.tensor([[1001]]), ties=Ties.WORST).item() == ahead + tied


def test_scores_may_require_gradients_and_be_a_strided_view() -> None:
    scores = torch.randn(3, 12, requires_grad=True)[:, ::2]
    targets = torch.tensor([[0], [3], [5]])
    expected_ranks = target_ranks(scores.detach().clone().contiguous(), targets)
    assert torch.equal(target_ranks(scores, targets), expected_ranks)


@pytest.mark.parametrize("column", [0, 2])
def test_nan_names_the_row_and_column(column: int) -> None:
    scores = torch.zeros(4, 3)
    scores[2, column] = torch.nan
    with pytest.raises(ValueError, match=rf"got NaN in row 2, first at column {column}; look for"):
        target_ranks(scores, torch.ones(4, 1, dtype=torch.int64))


def test_repeated_target_is_refused() -> None:
    with pytest.raises(ValueError, match="got item 4 twice in row 1; list each"):
        target_ranks(torch.rand(2, 5), torch.tensor([[0, 1, 2], [4, 0, 4]]))
