"""Rows of a table and their gradient against torch's own."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.kernels.library import library
from recsys.models import lookup
from recsys.models.lookup import look_up

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler")


@settings(deadline=None)
@given(
    ids=st.lists(st.integers(0, 8), max_size=40),
    size=st.integers(1, 40),
    padding=st.sampled_from([None, 0, 8]),
    cut=st.sampled_from([0, 4, 9]),
)
def test_it_is_torchs_lookup(ids: list[int], size: int, padding: int | None, cut: int) -> None:
    table = torch.randn(9, size, requires_grad=True)
    index = torch.tensor(ids, dtype=torch.int64)
    weight = torch.randn(len(ids), size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookup, "even_ranges", lambda *_, **__: [(0, cut), (cut, 9)])
        found = look_up(table, index, padding=padding)
        (gradient,) = torch.autograd.grad((found * weight).sum(), table)
    expected = F.embedding(index, table, padding)
    assert torch.equal(found, expected)
    torch.testing.assert_close(gradient, *torch.autograd.grad((expected * weight).sum(), table))


def test_rows_of_rows() -> None:
    table, index = torch.randn(5, 3, requires_grad=True), torch.tensor([[4, 0], [2, 2], [4, 1]])
    found = look_up(table, index.T, padding=1)
    assert found.shape == (2, 3, 3)
    found.sum().backward()
    assert table.grad is not None
    assert table.grad[:, 0].tolist() == [1, 0, 2, 0, 2]


def test_an_id_beyond_the_table_is_refused() -> None:
    with pytest.raises(IndexError):
        look_up(torch.randn(5, 3, requires_grad=True), torch.tensor([5]))


@pytest.mark.parametrize(
    ("table", "index", "sparse"),
    [
        (torch.randn(5, 3).double(), torch.tensor([1]), False),
        (torch.randn(5, 3), torch.tensor([1], dtype=torch.int32), False),
        (torch.randn(5, 3), torch.tensor([1]), True),
    ],
)
def test_others_go_torchs_way(table: torch.Tensor, index: torch.Tensor, sparse: bool) -> None:
    found = look_up(table.requires_grad_(), index, sparse=sparse)
    assert "_LookUp" not in type(found.grad_fn).__name__
    found.sum().backward()
    assert table.grad is not None
    assert table.grad.is_sparse == sparse
