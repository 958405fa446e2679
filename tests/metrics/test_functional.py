"""Metrics against ir-measures (trec_eval), ranx, a loop over hit lists, and closed forms."""

from collections.abc import Callable
from math import log2

import ir_measures
import pytest
import ranx
import torch
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG
from torch import Tensor

from recsys.metrics import (
    RankMetric,
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

CUTOFFS = (1, 3, 10, 60)
NUM_USERS, NUM_ITEMS = 12, 50


@pytest.fixture
def rankings() -> tuple[Tensor, Tensor]:
    """Scores [12, 50] without ties and 1 to 12 targets per user, padded."""
    scores = torch.stack([torch.randperm(NUM_ITEMS) for _ in range(NUM_USERS)]).float()
    targets = torch.stack([torch.randperm(NUM_ITEMS)[:NUM_USERS] for _ in range(NUM_USERS)])
    return scores, targets.where(torch.ones(NUM_USERS, NUM_USERS).tril().bool(), -1)


def judged(scores: Tensor, targets: Tensor) -> tuple[dict, dict]:
    """Relevance and run as the libraries take them: user -> item -> value; ranx sorts the users."""
    relevant = {f"u{row:02d}": {str(t): 1 for t in items if t >= 0} for row, items in enumerate(targets.tolist())}
    run = {f"u{row:02d}": {str(i): s for i, s in enumerate(line)} for row, line in enumerate(scores.tolist())}
    return relevant, run


@pytest.mark.parametrize("k", CUTOFFS)
@pytest.mark.parametrize(
    ("metric", "measure"),
    [
        (hit_rate, Success),
        (recall, R),
        (precision, P),
        (ndcg, nDCG),
        (mrr, RR),
        (average_precision, AP),
    ],
)
def test_agrees_with_ir_measures(rankings: tuple, metric: RankMetric, measure: Callable, k: int) -> None:
    ours = metric(target_ranks(*rankings), (rankings[1] >= 0).sum(1), k=k)
    theirs = {value.query_id: value.value for value in ir_measures.iter_calc([measure @ k], *judged(*rankings))}
    assert ours.tolist() == pytest.approx([theirs[f"u{row:02d}"] for row in range(NUM_USERS)], abs=1e-6)


@pytest.mark.filterwarnings("ignore::numba.NumbaTypeSafetyWarning")
@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (hit_rate, "hit_rate"),
        (recall, "recall"),
        (precision, "precision"),
        (ndcg, "ndcg"),
        (mrr, "mrr"),
        (average_precision, "map"),
    ],
)
def test_agrees_with_ranx(rankings: tuple, metric: RankMetric, name: str) -> None:
    relevant, run = judged(*rankings)
    names = [f"{name}@{k}" for k in CUTOFFS[:-1]]  # ranx has precision@60 of a list of 50 divide by 50
    theirs = ranx.evaluate(ranx.Qrels(relevant), ranx.Run(run), names, return_mean=False, threads=1)
    for k in CUTOFFS[:-1]:
        ours = metric(target_ranks(*rankings), (rankings[1] >= 0).sum(1), k=k)
        assert ours.tolist() == pytest.approx(list(theirs[f"{name}@{k}"]), abs=1e-6)


def by_loop(hits: list[bool], num_relevant: int, k: int) -> dict[RankMetric, float]:
    """Every metric from the list of hits itself, position by position."""
    found, first, gained, precisions = 0, 0.0, 0.0, 0.0
    for position, hit in enumerate(hits[:k], start=1):
        if hit:
            found += 1
            first = first or 1 / position
            gained += 1 / log2(position + 1)
            precisions += found / position
    ideal = sum(1 / log2(position + 1) for position in range(1, min(k, num_relevant) + 1))
    return {
        hit_rate: float(found > 0),
        recall: found / num_relevant,
        capped_recall: found / min(k, num_relevant),
        precision: found / k,
        ndcg: gained / ideal,
        mrr: first,
        average_precision: precisions / num_relevant,
    }


@given(
    hits=st.lists(st.booleans(), min_size=1, max_size=12).filter(any),
    missed=st.integers(0, 3),
    k=st.integers(1, 15),
)
def test_agrees_with_a_loop_over_the_list(hits: list[bool], missed: int, k: int) -> None:
    places = [position for position, hit in enumerate(hits, start=1) if hit]
    ranks = torch.tensor([[*reversed(places), *[torch.inf] * missed]])
    num_relevant = len(places) + missed
    for metric, value in by_loop(hits, num_relevant, k).items():
        assert metric(ranks, torch.tensor([num_relevant]), k=k).item() == pytest.approx(value, abs=1e-6)


@given(data=st.data(), ties=st.sampled_from(Ties), k=st.integers(1, 8))
def test_ties_keep_every_metric_between_0_and_1(data: st.DataObject, ties: Ties, k: int) -> None:
    scores = data.draw(st.lists(st.sampled_from([-torch.inf, 0.0, 1.0]), min_size=6, max_size=6))
    targets = data.draw(st.permutations(range(6)))[: data.draw(st.integers(1, 6))]
    ranks = target_ranks(torch.tensor([scores]), torch.tensor([targets]), ties=ties)
    for metric in (hit_rate, recall, capped_recall, precision, ndcg, mrr, average_precision):
        assert 0 <= metric(ranks, torch.tensor([len(targets)]), k=k).item() <= 1 + 1e-6


def test_one_relevant_item_at_rank_4() -> None:
    ranks, one = torch.tensor([[4.0]]), torch.tensor([1])
    values = [m(ranks, one, k=5).item() for m in (hit_rate, recall, precision, ndcg, mrr, average_precision)]
    assert values == pytest.approx([1, 1, 1 / 5, 1 / log2(5), 1 / 4, 1 / 4])
    assert not any(m(ranks, one, k=3).item() for m in (hit_rate, recall, precision, ndcg, mrr, average_precision))


def test_perfect_list_of_more_relevant_items_than_places() -> None:
    ranks, five = torch.arange(1.0, 6)[None], torch.tensor([5])
    values = [m(ranks, five, k=2).item() for m in (recall, capped_recall, precision, ndcg, average_precision)]
    assert values == pytest.approx([2 / 5, 1, 1, 1, 2 / 5])


def test_fractional_rank_is_hit_only_up_to_the_cutoff() -> None:
    ranks, one = torch.tensor([[2.5]]), torch.tensor([1])
    assert [hit_rate(ranks, one, k=k).item() for k in (2, 3)] == [0, 1]
    assert ndcg(ranks, one, k=3).item() == pytest.approx(1 / log2(3.5))
    assert mrr(ranks, one, k=3).item() == pytest.approx(1 / 2.5)
