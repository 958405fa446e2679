"""The accumulating metric: names, additivity, errors."""

import pickle

import pytest
import torch
from torch import Tensor

from recsys.metrics import RankingMetrics, mrr, ndcg, target_ranks


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    """Ranks [100, 3] and number of relevant items [100] of users with 1 to 3 of them."""
    num_relevant = torch.randint(1, 4, (100,))
    targets = torch.stack([torch.randperm(40)[:3] for _ in range(100)])
    targets = targets.where(torch.arange(3) < num_relevant[:, None], -1)
    return target_ranks(torch.randn(100, 40), targets), num_relevant


def test_default_names_and_order() -> None:
    metrics = RankingMetrics()
    names = [f"{m}@{k}" for m in ("hr", "recall", "ndcg", "mrr", "precision", "map") for k in (5, 10, 20)]
    assert metrics.names == names


def test_is_the_mean_of_the_per_user_values(batch: tuple[Tensor, Tensor]) -> None:
    metrics = RankingMetrics(metrics={"ndcg": ndcg, "mrr": mrr}, cutoffs=(3, 10))
    metrics.update(*batch)
    means = metrics.compute()
    assert list(means) == ["ndcg@3", "ndcg@10", "mrr@3", "mrr@10"]
    assert means["mrr@10"].item() == pytest.approx(mrr(*batch, k=10).double().mean().item(), abs=1e-12)
    assert torch.equal(metrics.per_user(*batch)["ndcg@3"], ndcg(*batch, k=3))


@pytest.mark.parametrize("size", [1, 7, 99])
def test_batches_of_any_size_add_up(batch: tuple[Tensor, Tensor], size: int) -> None:
    whole, parts = RankingMetrics(), RankingMetrics()
    whole.update(*batch)
    for ranks, num_relevant in zip(*(part.split(size) for part in batch), strict=True):
        parts.update(ranks[:, : int(num_relevant.max())], num_relevant)  # a batch pads to its own width
    expected = {name: pytest.approx(value.item(), abs=1e-12) for name, value in whole.compute().items()}
    assert {name: value.item() for name, value in parts.compute().items()} == expected


def test_processes_with_unequal_shares_merge_to_the_mean_over_users(batch: tuple[Tensor, Tensor]) -> None:
    whole, here, there = RankingMetrics(), RankingMetrics(), RankingMetrics()
    whole.update(*batch)
    here.update(batch[0][:90], batch[1][:90])
    there.update(batch[0][90:], batch[1][90:])
    here.merge_state(there)
    assert here.num_users == 100
    assert here.compute()["ndcg@10"].item() == pytest.approx(whole.compute()["ndcg@10"].item(), abs=1e-12)


def test_sums_stay_in_double_precision(batch: tuple[Tensor, Tensor]) -> None:
    metrics = RankingMetrics().half()
    metrics.update(*batch)
    assert {value.dtype for value in metrics.compute().values()} == {torch.float64}


def test_reset_and_pickle(batch: tuple[Tensor, Tensor]) -> None:
    metrics = RankingMetrics()
    metrics.update(*batch)
    assert pickle.loads(pickle.dumps(metrics)).compute() == metrics.compute()
    metrics.reset()
    assert metrics.num_users == 0


@pytest.mark.filterwarnings("ignore:The ``compute`` method")
def test_no_users_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one user, got none"):
        RankingMetrics().compute()


def test_user_without_relevant_items_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least 1 for every user, got 0 in row 1; leave"):
        RankingMetrics().update(torch.tensor([[1.0], [torch.inf]]), torch.tensor([1, 0]))


@pytest.mark.parametrize("cutoffs", [(), (0, 10), (-1,)])
def test_bad_cutoffs_are_refused(cutoffs: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"cutoffs must be one or more list lengths from 1 up, got \["):
        RankingMetrics(cutoffs=cutoffs)


def test_no_metrics_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one metric"):
        RankingMetrics(metrics={})
