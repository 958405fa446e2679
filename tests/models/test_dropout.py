import pytest
import torch

from recsys.models.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_dropped_is_p_and_the_expectation_is_kept(p: float) -> None:
    out = Dropout(p)(torch.ones(400, 250))
    assert (out == 0).float().mean().item() == pytest.approx(p, abs=0.006)
    assert out.mean().item() == pytest.approx(1.0, abs=0.03)
    assert out.unique().numel() == 2


def test_the_gradient_passes_where_the_value_passed() -> None:
    x = torch.randn(7, 9, requires_grad=True)
    out = Dropout(0.5)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, (out != 0) * 2.0)


def test_masks_are_independent_along_every_axis() -> None:
    kept = (Dropout(0.5)(torch.ones(64, 1024)) > 0).float()
    for one, other in ((kept[:, :-1], kept[:, 1:]), (kept[:-1], kept[1:]), (kept[:, :-8], kept[:, 8:])):
        assert torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].abs() < 0.02


def test_evaluation_and_zero_change_nothing() -> None:
    x = torch.randn(3, 4)
    assert Dropout(0.0)(x) is x
    assert Dropout(0.5).eval()(x) is x


@pytest.mark.parametrize("p", [-0.1, 1.0])
def test_an_impossible_rate_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=rf"dropout \({p}\) must be at least 0 and below 1"):
        Dropout(p)
