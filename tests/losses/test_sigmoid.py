"""The sigmoid of rows: compiled code and torch's operations against torch in double precision."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from recsys.kernels.library import library
from recsys.losses import links
from recsys.losses.links import WIDE, sigmoid_, sigmoid_plainly_

INFINITY = float("inf")

compiled = pytest.mark.skipif(library() is None, reason="no C compiler")
both = pytest.mark.parametrize("sigmoid", [pytest.param(sigmoid_, marks=compiled), sigmoid_plainly_])


@both
@settings(deadline=None)
@given(
    rows=st.integers(0, 3),
    columns=st.integers(1, 3000),
    scale=st.sampled_from([0.1, 5.0, 300.0]),
    shift=st.sampled_from([0.0, -15.0, 15.0]),  # log(1 + e^-15) is lost where 1 + e^-15 is rounded
    seed=st.integers(0, 2**63 - 1),
)
def test_it_is_the_sigmoid_whatever_the_shape(
    sigmoid: Callable[[Tensor], tuple[Tensor, Tensor]], rows: int, columns: int, scale: float, shift: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, columns, generator=generator) * scale + shift
    logits[torch.rand(rows, columns, generator=generator) < 0.2] = -INFINITY
    expected = logits.double()
    found, total = sigmoid(logits)
    assert found.data_ptr() == logits.data_ptr()
    torch.testing.assert_close(found.double(), expected.sigmoid(), rtol=2e-5, atol=1e-30)
    torch.testing.assert_close(total.double(), F.softplus(expected).sum(1), rtol=1e-5, atol=1e-30)


@compiled
def test_rows_on_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "even_ranges", lambda *_, **__: [(0, 3), (3, 7)])
    logits = torch.randn(7, 90)
    expected = sigmoid_plainly_(logits.clone())
    torch.testing.assert_close(sigmoid_(logits), expected)


@both
def test_extreme_logits(sigmoid: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
    logits = torch.full((2, 100), -1e10)
    logits[0, 7] = logits[1, 99] = 1e10
    found, total = sigmoid(logits.clone())
    assert found.tolist() == (logits > 0).float().tolist()
    assert total.tolist() == [1e10, 1e10]
    assert sigmoid(torch.full((1, 2000), 50.0))[1].item() == pytest.approx(1e5)


@both
@pytest.mark.parametrize("value", [INFINITY, float("nan")])
@pytest.mark.parametrize("column", [0, 70])
def test_what_is_no_number_is_not_hidden(
    sigmoid: Callable[[Tensor], tuple[Tensor, Tensor]], value: float, column: int
) -> None:
    logits = torch.zeros(2, 71)
    logits[0, column] = value
    found, total = sigmoid(logits)
    assert not total[0].isfinite()
    assert found[0, column].isnan() == (value != value)
    torch.testing.assert_close(found[1], torch.full((71,), 0.5))


@compiled
def test_narrow_rows_those_that_are_not_contiguous_and_doubles_go_the_plain_way() -> None:
    for logits in (torch.randn(5, WIDE - 1), torch.randn(90, 80).T, torch.randn(5, 90).double()):
        expected = sigmoid_plainly_(logits.clone())
        torch.testing.assert_close(sigmoid_(logits), expected)
