"""The blocked loss against autograd over all logits at once."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from grid import build, options

from recsys.candidates import Candidates, CandidateSampler
from recsys.data.catalogue import Catalogue
from recsys.data.collators import NextItem
from recsys.data.ragged import Ragged
from recsys.kernels.library import library
from recsys.losses import BPR, CrossEntropy, RankingLoss
from recsys.scoring import ItemTable, mean_loss, plain_loss
from recsys.scoring.columns import (
    GatheredColumns,
    IndexedColumns,
    OwnAndSharedColumns,
    PickedColumns,
    SharedColumns,
    columns,
)

N, V, D = 70, 60, 8


@cache
def made_loss(name: str) -> RankingLoss:
    return build("loss", name)


@cache
def made_sampler(name: str) -> Callable[[Catalogue], CandidateSampler]:
    return build("sampler", name)


def parameters(*, with_bias: bool) -> list[torch.Tensor]:
    """Queries, weights and perhaps biases, to be derived by."""
    parts = [torch.randn(N, D), torch.randn(V, D), *([torch.randn(V)] if with_bias else [])]
    return [part.requires_grad_() for part in parts]


def assert_equal_losses(leaves: list[torch.Tensor], candidates: Candidates, loss: RankingLoss) -> None:
    """`mean_loss` and its gradients are those of `plain_loss`."""
    queries, table = leaves[0], ItemTable(leaves[1], leaves[2] if len(leaves) == 3 else None)
    plain = plain_loss(queries, table, candidates, loss)
    blocked = mean_loss(queries, table, candidates, loss, rows=16)
    torch.testing.assert_close(blocked, plain)
    for one, other in zip(torch.autograd.grad(blocked, leaves), torch.autograd.grad(plain, leaves), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("sampler", options("sampler"))
@pytest.mark.parametrize("loss", options("loss"))
def test_blocks_give_the_plain_loss_and_its_gradients(loss: str, sampler: str, with_bias: bool) -> None:
    rows = Ragged.from_rows([torch.randint(V, (8,)).tolist() for _ in range(10)])
    batch = NextItem(num_items=V, max_length=7)(np.arange(10), rows)
    draw = made_sampler(sampler)(Catalogue(num_items=V, train=rows, whole=rows))
    candidates = draw(batch.targets[batch.target_mask], batch)
    assert_equal_losses(parameters(with_bias=with_bias), candidates, made_loss(loss))


def layouts() -> dict[type, Candidates]:
    """Candidates of every layout, by the class that scores them."""
    shared, few, many = torch.randint(V, (9,)), torch.randint(V, (N, 3)), torch.randint(V, (N, 50))
    return {
        SharedColumns: Candidates(shared, torch.randint(9, (N,)), V),
        OwnAndSharedColumns: Candidates(shared, torch.zeros(N, dtype=torch.long), V, own=torch.randint(V, (N,))),
        IndexedColumns: Candidates(few, torch.randint(3, (N,)), V),
        GatheredColumns: Candidates(few, torch.randint(3, (N,)), V),
        PickedColumns: Candidates(many, torch.randint(50, (N,)), V),
    }


@pytest.fixture(params=layouts())
def layout(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type:
    """One of them, and what it takes for it to be chosen."""
    if request.param is IndexedColumns and library() is None:
        pytest.skip("no C compiler")
    if request.param is GatheredColumns:
        monkeypatch.setattr("recsys.scoring.columns.takes", lambda _: False)
    return request.param


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("loss", [CrossEntropy(), BPR()])
def test_every_layout_corrects_and_removes(layout: type, with_bias: bool, loss: RankingLoss) -> None:
    candidates = layouts()[layout]
    num_columns = candidates.columns().shape[1]
    removed = (torch.rand(N, num_columns) < 0.4).scatter(1, candidates.target[:, None], False)
    candidates = candidates._replace(removed=removed, log_q=torch.randn(V))
    leaves = parameters(with_bias=with_bias)
    assert type(columns(ItemTable(leaves[1], None), candidates, rows=16, dtype=None)) is layout
    assert_equal_losses(leaves, candidates, loss)


def test_the_mean_is_over_positions_however_they_fall_into_blocks() -> None:
    queries, weight, _ = parameters(with_bias=True)
    candidates = Candidates(None, torch.randint(V, (N,)), V)
    values = [
        mean_loss(queries, ItemTable(weight, None), candidates, CrossEntropy(), rows=rows) for rows in (1, 13, N, 500)
    ]
    torch.testing.assert_close(values, [values[0]] * 4)


def test_mixed_precision_ends_at_the_table(layout: type) -> None:
    queries, weight, _ = parameters(with_bias=True)
    candidates = layouts()[layout]
    expected = mean_loss(queries.bfloat16().float(), ItemTable(weight, None), candidates, CrossEntropy(), rows=16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = mean_loss(queries.bfloat16(), ItemTable(weight, None), candidates, CrossEntropy(), rows=16)
    gradients = torch.autograd.grad(value, (queries, weight))
    torch.testing.assert_close(value, expected)
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("loss", [CrossEntropy(), BPR()])
def test_products_in_bfloat16_round_and_no_more(layout: type, with_bias: bool, loss: RankingLoss) -> None:
    candidates = layouts()[layout]._replace(log_q=torch.randn(V))
    leaves = parameters(with_bias=with_bias)
    table = ItemTable(leaves[1], leaves[2] if with_bias else None)
    exact, rounded = (mean_loss(leaves[0], table, candidates, loss, rows=16, dtype=t) for t in (None, torch.bfloat16))
    torch.testing.assert_close(rounded, exact, atol=0, rtol=5e-3)
    for one, other in zip(torch.autograd.grad(rounded, leaves), torch.autograd.grad(exact, leaves), strict=True):
        assert one.dtype == other.dtype
        assert (one - other).norm() < 1e-2 * other.norm()


@pytest.mark.parametrize("with_bias", [False, True])
def test_a_sparse_table_gives_the_same_loss_and_gradients(layout: type, with_bias: bool) -> None:
    candidates = layouts()[layout]._replace(log_q=torch.randn(V))
    leaves = parameters(with_bias=with_bias)
    found = []
    for sparse in (False, True):
        table = ItemTable(leaves[1], leaves[2] if with_bias else None, sparse=sparse)
        value = mean_loss(leaves[0], table, candidates, CrossEntropy(), rows=16)
        found.append([value, *(g.to_dense() for g in torch.autograd.grad(value, leaves))])
    torch.testing.assert_close(found[1], found[0], atol=1e-6, rtol=1e-4)


def test_an_item_that_does_not_exist_is_refused() -> None:
    queries, weight, _ = parameters(with_bias=True)
    for wrong in (-1, V):
        items = torch.randint(V, (N, 3)).index_fill(0, torch.tensor([N - 1]), wrong)
        with pytest.raises(IndexError):
            mean_loss(queries, ItemTable(weight, None), Candidates(items, torch.zeros(N).long(), V), BPR(), rows=16)
