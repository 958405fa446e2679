import pytest
import torch
from torch import Tensor

from recsys.data.catalogue import Catalogue
from recsys.models.lrurec import LinearRecurrence, LRURec, linear_recurrence


def step_by_step(inputs: Tensor, decay: Tensor) -> Tensor:
    """The recurrence as a loop."""
    state, states = torch.zeros_like(inputs[:, 0]), []
    for step in inputs.unbind(1):
        state = decay * state + step
        states.append(state)
    return torch.stack(states, 1)


def toy(length: int) -> tuple[Tensor, Tensor]:
    inputs = torch.randn(3, length, 4, dtype=torch.complex128)
    return inputs, torch.polar(torch.rand(4).double(), 6 * torch.rand(4).double())


@pytest.mark.parametrize("length", [1, 2, 3, 8, 13, 64, 200])
def test_all_steps_at_once_equal_the_loop(length: int) -> None:
    inputs, decay = toy(length)
    torch.testing.assert_close(linear_recurrence(inputs, decay), step_by_step(inputs, decay))


def test_the_gradient_is_that_of_the_loop() -> None:
    weight = torch.randn(3, 13, 4, dtype=torch.complex128)
    gradients = []
    for recurrence in (linear_recurrence, step_by_step):
        torch.manual_seed(1)
        inputs, decay = (part.requires_grad_() for part in toy(13))
        (recurrence(inputs, decay) * weight).real.sum().backward()
        gradients.append((inputs.grad, decay.grad))
    torch.testing.assert_close(*gradients)


def test_the_gradient_is_the_slope() -> None:
    inputs, decay = (part.requires_grad_() for part in toy(5))
    assert torch.autograd.gradcheck(linear_recurrence, (inputs, decay))


def test_the_inputs_are_left_as_they_were() -> None:
    inputs, decay = toy(8)
    before = inputs.clone()
    linear_recurrence(inputs, decay)
    assert torch.equal(inputs, before)


def test_memory_starts_in_the_ring_and_keeps_the_scale_of_the_state() -> None:
    layer = LinearRecurrence(dim=2, state_dim=500, min_radius=0.5, max_radius=0.9)
    radius = torch.exp(-layer.log_decay.exp())
    assert 0.5 <= radius.min() < 0.55
    assert 0.88 < radius.max() <= 0.9
    torch.testing.assert_close(layer.log_gamma.exp() ** 2 + radius**2, torch.ones(500))


def test_an_impossible_ring_is_refused() -> None:
    with pytest.raises(ValueError, match=r"min_radius \(0.9\) and max_radius \(0.8\) must satisfy"):
        LRURec(Catalogue(num_items=5), min_radius=0.9, max_radius=0.8)
