import pytest
import torch

from recsys.models.dropout import Dropout


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test where C is compiled, and where it is not."""
    if request.param == "plain":
        monkeypatch.setattr("recsys.models.dropout.takes", lambda _: False)


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


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000])
def test_what_is_left_is_added(count: int) -> None:
    x, onto = torch.randn(count, requires_grad=True), torch.randn(count, requires_grad=True)
    torch.manual_seed(7)
    left = Dropout(0.5)(x)
    torch.manual_seed(7)
    total = Dropout(0.5)(x, onto=onto)
    torch.testing.assert_close(total, onto + left)
    weight = torch.randn(count)
    slopes = torch.autograd.grad((total * weight).sum(), (x, onto))
    torch.testing.assert_close(slopes[0], weight * (left != 0) * 2)
    assert torch.equal(slopes[1], weight)
    assert torch.equal(Dropout(0.5).eval()(x, onto=onto), onto + x)


def test_what_it_is_added_to_may_be_wider_or_smaller() -> None:
    x = torch.ones(10, 100)
    assert Dropout(0.5)(x, onto=torch.ones(1, 100)).unique().tolist() == [1.0, 3.0]
    assert Dropout(0.5)(x, onto=torch.ones(10, 100).double()).dtype == torch.float64


def test_the_gradient_of_the_gradient_passes_too() -> None:
    x = torch.randn(50, requires_grad=True)
    out = Dropout(0.5)(x.square())
    (slope,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x)
    torch.testing.assert_close(second, (out != 0) * 4.0 * 3 * x.detach().square() * 4)


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
