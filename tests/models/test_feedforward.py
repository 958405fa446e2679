"""Two layers in one piece against torch's own, one after the other."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.kernels.library import library
from recsys.models import feedforward
from recsys.models.layers import FeedForward
from recsys.parallel import even_ranges

compiled = pytest.mark.skipif(library() is None, reason="no C compiler")
pytestmark = compiled


def plainly(layer: FeedForward, x: Tensor) -> Tensor:
    return layer.contract(layer.activation(layer.expand(x)))


def with_gradients(layer: FeedForward, function: Callable[[Tensor], Tensor], x: Tensor, weight: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    out = function(x)
    return [out, *torch.autograd.grad((out * weight).sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("activation", [F.gelu, F.relu])
@pytest.mark.parametrize(
    ("shape", "hidden"),
    [((130, 64), 256), ((77, 50), 100), ((1, 16), 20), ((3, 5, 7), 3), ((0, 8), 8), ((300, 33), 70)],
)
def test_it_is_what_torch_makes_of_them(
    shape: tuple[int, ...], hidden: int, activation: Callable, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(feedforward, "even_ranges", even_ranges if threads == 1 else lambda count, **_: halves(count))
    layer = FeedForward(dim=shape[-1], hidden=hidden, dropout=0.5, activation=activation).eval()
    x, weight = 2 * torch.randn(shape), torch.randn(shape)
    found = with_gradients(layer, layer, x, weight)
    expected = with_gradients(layer, lambda x: plainly(layer, x), x, weight)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def halves(count: int) -> list[tuple[int, int]]:
    middle = count // 2
    return [(0, middle), (middle, count)]


def test_gelu_is_exact_wherever_it_bends() -> None:
    layer = FeedForward(dim=1, hidden=1, dropout=0.0).eval()
    nn.init.ones_(layer.expand.weight), nn.init.zeros_(layer.expand.bias)
    nn.init.ones_(layer.contract.weight), nn.init.zeros_(layer.contract.bias)
    x = torch.linspace(-12, 12, 24_001).double().requires_grad_()
    single = x.detach().float()[:, None].requires_grad_()
    expected, found = F.gelu(x), layer(single)
    torch.testing.assert_close(found[:, 0].double(), expected, atol=1e-6, rtol=2e-7)
    slopes = torch.autograd.grad(expected.sum(), x)[0], torch.autograd.grad(found.sum(), single)[0][:, 0].double()
    torch.testing.assert_close(slopes[1], slopes[0], atol=1e-6, rtol=2e-7)


def test_what_is_no_number_stays_so() -> None:
    layer = FeedForward(dim=4, hidden=8, dropout=0.0).eval()
    x = torch.randn(3, 4)
    x[1, 0] = torch.nan
    assert layer(x).isnan().all(1).tolist() == [False, True, False]


def test_dropout_is_between_the_layers_the_same_in_both_directions() -> None:
    """Of one layer of ones behind the identity, what comes out counts what was kept, and so does the gradient."""
    size, cells = 96, 500
    layer = FeedForward(dim=size, hidden=size, dropout=0.25, activation=F.relu)
    for linear in (layer.expand, layer.contract):
        nn.init.eye_(linear.weight)
        nn.init.zeros_(linear.bias)
    x = torch.ones(cells, size, requires_grad=True)
    out = layer(x)
    kept = out != 0
    share = 1 - 0.25
    assert torch.equal(out, kept.float() / share)
    assert kept.float().mean().item() == pytest.approx(share, abs=4 * (share * 0.25 / kept.numel()) ** 0.5)
    assert torch.equal(torch.autograd.grad(out.sum(), x)[0], kept.float() / share)
    for other in (kept.roll(1, 0), kept.roll(1, 1), kept.roll(16, 1), kept.roll(64, 0), layer(x) != 0):
        assert torch.corrcoef(torch.stack([kept.flatten(), other.flatten()]).float())[0, 1].abs() < 0.02


def test_ranges_draw_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = FeedForward(dim=40, hidden=100, dropout=0.5)
    x, weight, results = torch.randn(300, 40), torch.randn(300, 40), []
    for ranges in ([(0, 300)], [(0, 64), (64, 192), (192, 300)]):
        monkeypatch.setattr(feedforward, "even_ranges", lambda *_, ranges=ranges, **__: ranges)
        torch.manual_seed(2)
        results.append(with_gradients(layer, layer, x, weight))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_step_down_the_gradient_is_what_it_says_under_dropout() -> None:
    layer = FeedForward(dim=10, hidden=30, dropout=0.4)
    x, weight = torch.randn(70, 10), torch.randn(70, 10)

    def value() -> Tensor:
        torch.manual_seed(4)
        return (layer(x) * weight).sum()

    slopes = torch.autograd.grad(value(), list(layer.parameters()))
    with torch.no_grad():
        for parameter, slope in zip(layer.parameters(), slopes, strict=True):
            direction, sides = torch.randn_like(parameter), []
            for step in (1e-3, -2e-3):
                parameter += step * direction
                sides.append(value().double())
            parameter += 1e-3 * direction
            assert ((sides[0] - sides[1]) / 2e-3).item() == pytest.approx((slope * direction).sum().item(), rel=2e-2)


def test_who_listens_to_a_layer_hears_it_and_mixed_precision_is_torchs() -> None:
    layer, x = FeedForward(dim=4, hidden=8, dropout=0.0).eval(), torch.randn(3, 4)
    heard = []
    handle = layer.expand.register_forward_hook(lambda *given: heard.append(given))
    listened = layer(x)
    assert heard
    handle.remove()
    torch.testing.assert_close(layer(x), listened)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16


def test_no_memory_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedforward, "call_each", lambda name, several: [0])
    with pytest.raises(MemoryError, match=r"make model\.feedforward_dim smaller"):
        FeedForward(dim=4, hidden=8, dropout=0.0)(torch.randn(3, 4))
