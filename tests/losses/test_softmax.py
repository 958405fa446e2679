"""The softmax of rows: compiled code and torch's operations against torch in double precision."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from recsys.kernels.library import library
from recsys.losses.links import softmax_, softmax_plainly_
from recsys.parallel import WORKERS

INFINITY = float("inf")

compiled = pytest.mark.skipif(library() is None or torch.get_num_threads() > WORKERS, reason="not in compiled code")

both = pytest.mark.parametrize("softmax", [softmax_, softmax_plainly_])


@pytest.mark.parametrize(("softmax", "error"), [pytest.param(softmax_, 2e-5, marks=compiled), (softmax_plainly_, 2e-4)])
@settings(deadline=None)
@given(
    rows=st.integers(1, 3),
    columns=st.integers(1, 200),
    scale=st.sampled_from([0.1, 5.0, 300.0]),
    seed=st.integers(0, 2**63 - 1),
)
def test_it_is_the_softmax_whatever_the_shape(
    softmax: Callable[[Tensor], tuple[Tensor, Tensor]], error: float, rows: int, columns: int, scale: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, columns, generator=generator) * scale + scale
    logits[torch.rand(rows, columns, generator=generator) < 0.2] = -INFINITY
    logits[:, seed % columns] = -3 * scale  # one that counts
    expected = logits.double()
    found, level = softmax(logits)
    assert found.data_ptr() == logits.data_ptr()
    torch.testing.assert_close(found.double(), expected.softmax(1), rtol=error, atol=1e-7)
    torch.testing.assert_close(level.double(), expected.logsumexp(1), rtol=1e-6, atol=1e-6)


@compiled
def test_huge_logits_are_no_trouble_to_compiled_code() -> None:
    logits = torch.tensor([[1e10, 1e10, 1e9], [1e12, -1e12, 0.0]])
    found, level = softmax_(logits.clone())
    assert found.tolist() == [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    torch.testing.assert_close(level, logits.logsumexp(1))


@both
@pytest.mark.parametrize("value", [INFINITY, float("nan")])
@pytest.mark.parametrize("column", [0, 70])
def test_what_is_no_number_is_not_hidden(
    softmax: Callable[[Tensor], tuple[Tensor, Tensor]], value: float, column: int
) -> None:
    logits = torch.zeros(2, 71)
    logits[0, column] = value
    found, level = softmax(logits)
    assert found[0].isnan().any()
    assert level[0].isnan()
    torch.testing.assert_close(found[1], torch.full((71,), 1 / 71))


@compiled
def test_rows_that_are_not_contiguous_and_doubles_go_the_plain_way() -> None:
    logits = torch.randn(5, 7)
    expected = logits.T.softmax(1)
    torch.testing.assert_close(softmax_(logits.clone().T)[0], expected)
    torch.testing.assert_close(softmax_(logits.double().T)[0].float(), expected)
