"""Optimisers by their YAML, and what torch refuses."""

import pytest
import torch
from grid import composed, options
from hydra.utils import instantiate
from torch import nn

from recsys.tasks.optimization import optimization
from recsys.tasks.schedules import Horizon

HORIZON = Horizon(step=10, epoch=2)


def attempt(layer: nn.Module, *overrides: str) -> dict:
    config = composed(*overrides)
    make, schedule = instantiate(config.optimizer), instantiate(config.scheduler)
    return optimization(layer.parameters(), optimizer=make, schedule=schedule, horizon=HORIZON)


@pytest.mark.parametrize("name", options("optimizer"))
def test_every_optimiser_goes_downhill(name: str) -> None:
    layer = nn.Linear(3, 1)
    x, y = torch.randn(20, 3), torch.randn(20, 1)
    optimizer = attempt(layer, f"optimizer={name}", "optimizer.lr=0.01", "scheduler=constant")["optimizer"]
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = (layer(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_sgd_repeats_a_share_of_its_last_step() -> None:
    weight = nn.Parameter(torch.zeros(1))
    layer = nn.ParameterList([weight])
    made = attempt(layer, "optimizer=sgd", "optimizer.lr=1.0", "optimizer.momentum=0.5", "scheduler=constant")
    positions = []
    for _ in range(3):
        weight.grad = torch.ones(1)
        made["optimizer"].step()
        positions.append(weight.item())
    assert positions == [-1.0, -2.5, -4.25]  # steps of 1, 1 + 1/2, 1 + 1/2 + 1/4


def test_adamw_shrinks_weights_by_lr_times_decay_alone() -> None:
    weight = nn.Parameter(torch.full((1,), 8.0))
    overrides = ("optimizer.lr=0.5", "optimizer.weight_decay=0.25", "scheduler=constant")
    made = attempt(nn.ParameterList([weight]), "optimizer=adamw", *overrides)
    weight.grad = torch.zeros(1)
    made["optimizer"].step()
    assert weight.item() == pytest.approx(8.0 * (1 - 0.5 * 0.25))


def test_what_is_frozen_is_left_out() -> None:
    layers = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    layers[0].requires_grad_(False)
    optimizer = attempt(layers)["optimizer"]
    (group,) = optimizer.param_groups
    assert [parameter.data_ptr() for parameter in group["params"]] == [p.data_ptr() for p in layers[1].parameters()]


def test_all_frozen_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match="every parameter is frozen, so there is nothing to train"):
        attempt(nn.Linear(2, 2).requires_grad_(False))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("optimizer.lr=-1.0",), "optimizer cannot be made: Invalid learning rate: -1.0"),
        (("optimizer=sgd", "optimizer.momentum=-0.5"), "optimizer cannot be made: Invalid momentum value: -0.5"),
        (("optimizer=sgd", "optimizer.momentum=0.0", "optimizer.nesterov=true"), "optimizer cannot be made: Nesterov"),
        (("scheduler=plateau", "scheduler.curve.factor=2.0"), "scheduler cannot be made: Factor should be < 1.0"),
        (("scheduler=step", "scheduler.curve.every=0"), r"scheduler cannot be made: every \(0\) must be at least 1"),
    ],
)
def test_a_refused_value_names_the_group(overrides: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        attempt(nn.Linear(2, 2), *overrides)
