"""Filters over rows that are laid end to end, against a loop over the definition."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from recsys.kernels.library import library
from recsys.models.convolution import convolve
from recsys.models.rows import PackedRows, PaddedRows, Rows

LENGTHS = torch.tensor([1, 3, 8, 9, 2, 33])

compiled = pytest.mark.skipif(library() is None, reason="no C compiler")


def by_definition(x: Tensor, filters: Tensor, lengths: Tensor) -> Tensor:
    """The sum, place by place."""
    places = [(row, t) for row in x.split(lengths.tolist()) for t in range(len(row))]
    return torch.stack([(filters[: t + 1].flip(0) * row[: t + 1]).sum(0) for row, t in places])


@compiled
@pytest.mark.parametrize("size", [1, 16, 20, 64])
@pytest.mark.parametrize("longest", [33, 40])
def test_the_compiled_one_is_the_definition_with_its_gradients(size: int, longest: int) -> None:
    x = torch.randn(int(LENGTHS.sum()), size, requires_grad=True)
    filters = torch.randn(longest, size, requires_grad=True)
    found, expected = convolve(x, filters, LENGTHS), by_definition(x, filters, LENGTHS)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    weight = torch.randn_like(expected)
    gradients = [torch.autograd.grad((each * weight).sum(), (x, filters)) for each in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@compiled
def test_many_rows_come_to_the_same_on_two_cores(threads: Callable[[int], None]) -> None:
    lengths = torch.randint(1, 60, (300,), generator=torch.Generator().manual_seed(0))
    x, filters = torch.randn(int(lengths.sum()), 8, requires_grad=True), torch.randn(60, 8, requires_grad=True)
    gradients = []
    for count in (1, 2):
        threads(count)
        gradients.append(torch.autograd.grad(convolve(x, filters, lengths).sigmoid().sum(), (x, filters)))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("kind", [PackedRows, PaddedRows])
@pytest.mark.parametrize("plain", [True, False])
def test_cells_of_rows_are_convolved_alike(kind: type[Rows], plain: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if plain:
        monkeypatch.setattr("recsys.models.rows.packed.takes", lambda _: False)
    rows = kind(LENGTHS, width=33, causal=True)
    real = rows.real().squeeze(2)
    x, filters = torch.randn(6, 33, 5), torch.randn(40, 5)
    found = rows.unpack(rows.convolve(rows.cells(x), filters))[real]
    torch.testing.assert_close(found, by_definition(x[real], filters, LENGTHS), atol=1e-5, rtol=1e-4)


@compiled
def test_cells_of_no_row_are_zero() -> None:
    x = torch.ones(12, 3, requires_grad=True)
    out = convolve(x, torch.ones(4, 3), torch.tensor([4, 4]))
    assert out[8:].count_nonzero() == 0
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert gradient[8:].count_nonzero() == 0


def test_rows_longer_than_the_filter_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rows of 8 cells, the longest of 5, but 8 cells and 4 weights a channel"):
        convolve(torch.zeros(8, 2), torch.zeros(4, 2), torch.tensor([3, 5]))
