"""LazyAdam against torch's own optimisers."""

import pytest
import torch
from torch import nn

from recsys.kernels.library import library
from recsys.models.layers import ItemEmbedding
from recsys.optimizers import LazyAdam

ROWS, DIM = 12, 5


@pytest.fixture(autouse=True, params=["compiled", "plain"])
def kind_of_step(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        monkeypatch.setattr("recsys.optimizers.takes", lambda _: False)
    elif library() is None:
        pytest.skip("no C compiler")


def steps(optimizer: type, *, sparse: bool, batches: list[torch.Tensor], **options: float) -> torch.Tensor:
    """The table after a step on each batch of rows."""
    torch.manual_seed(0)
    table = nn.Embedding(ROWS, DIM, sparse=sparse)
    made = optimizer(table.parameters(), lr=0.1, **options)
    for batch in batches:
        made.zero_grad()
        table(batch).square().sum().backward()
        made.step()
    return table.weight.detach()


def test_equals_adam_where_every_row_is_used() -> None:
    everything = [torch.arange(ROWS)] * 5
    lazy, adam = (steps(kind, sparse=kind is LazyAdam, batches=everything) for kind in (LazyAdam, torch.optim.Adam))
    torch.testing.assert_close(lazy, adam)


def test_equals_torchs_sparse_adam_where_rows_repeat_and_are_left_out() -> None:
    batches = [torch.tensor(rows) for rows in ([0, 1, 1], [1, 2], [5], [0, 5, 8])]
    lazy, sparse = (steps(kind, sparse=True, batches=batches) for kind in (LazyAdam, torch.optim.SparseAdam))
    torch.testing.assert_close(lazy, sparse)


def test_dense_gradients_follow_adam() -> None:
    batches = [torch.tensor([0, 1, 1]), torch.tensor([3])]
    lazy, adam = (steps(kind, sparse=False, batches=batches) for kind in (LazyAdam, torch.optim.Adam))
    torch.testing.assert_close(lazy, adam)


def test_continues_from_its_state() -> None:
    torch.manual_seed(0)
    table = nn.Embedding(ROWS, DIM, sparse=True)
    straight, stopped = nn.Embedding(ROWS, DIM, sparse=True), nn.Embedding(ROWS, DIM, sparse=True)
    for one in (straight, stopped):
        one.load_state_dict(table.state_dict())
    optimizers = [LazyAdam(one.parameters(), lr=0.1) for one in (straight, stopped)]
    for batch in (torch.tensor([0, 2]), torch.tensor([2, 3])):
        again = LazyAdam(stopped.parameters(), lr=0.1)
        again.load_state_dict(optimizers[1].state_dict())
        optimizers[1] = again
        for one, optimizer in zip((straight, stopped), optimizers, strict=True):
            optimizer.zero_grad()
            one(batch).sum().backward()
            optimizer.step()
    torch.testing.assert_close(stopped.weight, straight.weight)


@pytest.mark.parametrize("sparse", [False, True])
def test_an_item_table_passes_either_kind_of_gradient(sparse: bool) -> None:
    embedding = ItemEmbedding(ROWS, dim=DIM)
    embedding.sparse = sparse
    used = torch.tensor([0, 4, 4])
    embedding.item_table().take(used).weight.sum().backward()
    gradient = embedding.weight.grad
    assert gradient is not None
    assert gradient.is_sparse == sparse
    expected = torch.zeros(ROWS + 2, DIM).index_add(0, used, torch.ones(3, DIM))
    torch.testing.assert_close(gradient.to_dense(), expected)
