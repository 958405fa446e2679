import numpy as np
import pytest
import torch
from grid import build, options

from recsys.candidates import Candidates
from recsys.data.catalogue import Catalogue
from recsys.data.collators import NextItem
from recsys.data.ragged import Ragged
from recsys.losses import CrossEntropy
from recsys.scoring import ItemTable, mean_loss, plain_loss, score

N, V, D = 70, 30, 8


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("sampler", options("sampler"))
@pytest.mark.parametrize("loss", options("loss"))
def test_blocks_give_the_plain_loss_and_its_gradients(loss: str, sampler: str, with_bias: bool) -> None:
    parts = (torch.randn(N, D), torch.randn(V, D), *([torch.randn(V)] if with_bias else []))
    leaves = [part.requires_grad_() for part in parts]
    queries, table = leaves[0], ItemTable(leaves[1], leaves[2] if with_bias else None)
    rows = Ragged.from_rows([torch.randint(V, (8,)).tolist() for _ in range(10)])
    batch = NextItem(num_items=V, max_length=7)(np.arange(10), rows)
    drawn = build("sampler", sampler)(Catalogue(num_items=V, train=rows, whole=rows))
    candidates = drawn(batch.targets[batch.target_mask], batch)
    objective = build("loss", loss)
    plain = plain_loss(queries, table, candidates, objective)
    blocked = mean_loss(queries, table, candidates, objective, rows=16)
    torch.testing.assert_close(blocked, plain)
    for one, other in zip(torch.autograd.grad(blocked, leaves), torch.autograd.grad(plain, leaves), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def test_shared_candidates_give_the_plain_loss_and_its_gradients() -> None:
    queries, weight = torch.randn(N, D, requires_grad=True), torch.randn(V, D, requires_grad=True)
    shared = torch.randint(V, (9,))
    candidates = Candidates(shared, torch.randint(9, (N,)), V, log_q=torch.randn(9))
    plain = plain_loss(queries, ItemTable(weight, None), candidates, CrossEntropy())
    blocked = mean_loss(queries, ItemTable(weight, None), candidates, CrossEntropy(), rows=16)
    torch.testing.assert_close(blocked, plain)
    expected = torch.autograd.grad(plain, (queries, weight))
    for one, other in zip(torch.autograd.grad(blocked, (queries, weight)), expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def test_score_adds_the_bias_of_each_item() -> None:
    table = ItemTable(torch.zeros(3, 2), torch.tensor([1.0, 2.0, 3.0]))
    assert score(torch.zeros(1, 2), table, torch.tensor([[2, 0]])).tolist() == [[3.0, 1.0]]
