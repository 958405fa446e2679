"""Binary cross-entropy over labels in blocks, against torch's own over a multi-hot matrix."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.scoring.multi_label import Labels, multi_label_loss


def reference(queries: torch.Tensor, table: torch.Tensor, hot: torch.Tensor) -> torch.Tensor:
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    return loss(queries @ table.T, hot.to(queries.dtype), reduction="sum")


@settings(deadline=None)
@given(st.integers(0, 9), st.integers(1, 6), st.integers(1, 12), st.floats(0, 1))
def test_it_is_torchs_loss_with_its_gradients(size: int, labels: int, rows: int, share: float) -> None:
    torch.manual_seed(0)
    queries, table = torch.randn(size, 4, dtype=torch.float64), torch.randn(labels, 4, dtype=torch.float64)
    hot = torch.rand(size, labels) < share
    parts = [queries.requires_grad_(), table.requires_grad_()]
    found = multi_label_loss(queries, table, Labels(*hot.nonzero().T), rows=rows)
    expected = reference(queries, table, hot)
    torch.testing.assert_close(found, expected)
    gradients = (torch.autograd.grad(3 * value, parts) for value in (found, expected))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("size", [1e3, -1e3])
def test_extreme_logits_are_finite_and_still_pull(size: float) -> None:
    """With log(1 - s(x) + epsilon) the gradient is 0 from x = 17 on."""
    queries = torch.tensor([[size]], requires_grad=True)
    on = torch.tensor([0]) if size < 0 else torch.tensor([], dtype=torch.long)
    loss = multi_label_loss(queries, torch.ones(1, 1), Labels(torch.zeros_like(on), on), rows=4)
    loss.backward()
    assert loss.item() == pytest.approx(1e3)
    assert queries.grad is not None
    assert abs(queries.grad.item()) == pytest.approx(1.0)
