"""Which epochs are validated when only an improved training loss is."""

from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from recsys.callbacks import ValidateIfImproved

NAN = float("nan")


class Scripted(LightningModule):
    """Its losses are given, one per epoch and batch; it notes which epochs were validated."""

    def __init__(self, losses: list[list[float]], positions: list[int] | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.losses = losses
        self.positions = positions
        self.validated: list[int] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> dict[str, Any]:
        loss = self.weight * 0 + self.losses[self.current_epoch][batch_idx]
        return {"loss": loss.sum()} | ({"positions": self.positions[batch_idx]} if self.positions else {})

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.validated.append(self.current_epoch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


def validated(losses: list[list[float]], positions: list[int] | None = None, **settings: Any) -> list[int]:
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    module, batches = Scripted(losses, positions), DataLoader(torch.ones(len(losses[0])))  # pyright: ignore
    settings = {"max_epochs": len(losses), "callbacks": [ValidateIfImproved()], "num_sanity_val_steps": 0} | settings
    Trainer(accelerator="cpu", **quiet, **settings).fit(module, batches, DataLoader(torch.ones(1)))  # pyright: ignore
    return module.validated


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([3.0, 2.0, 1.0], [0, 1, 2]),
        ([3.0, 3.5, 2.0], [0, 2]),
        ([3.0, 4.0, 3.5, 3.2, 2.9], [0, 4]),  # better than the epoch before is not better than all
        ([3.0, 3.0], [0]),
        ([3.0, NAN, 2.0], [0, 2]),
    ],
)
def test_an_epoch_is_validated_if_its_loss_is_the_lowest_so_far(losses: list[float], expected: list[int]):
    assert validated([[loss] for loss in losses]) == expected


def test_the_loss_of_an_epoch_is_a_mean_over_positions():
    losses = [[1.0, 5.0], [2.0, 2.0]]
    assert validated(losses, positions=[9, 1]) == [0]  # 1.4, then 2.0
    assert validated(losses, positions=[1, 9]) == [0, 1]  # 4.6, then 2.0
    assert validated(losses) == [0, 1]  # 3.0, then 2.0


def test_it_goes_with_a_validation_every_n_epochs():
    losses = [[float(loss)] for loss in (5, 4, 3, 4, 3, 2)]
    assert validated(losses, check_val_every_n_epoch=2) == [1, 5]


def test_the_best_loss_survives_a_restart():
    callback = ValidateIfImproved()
    callback.decide(Trainer(accelerator="cpu", logger=False, enable_checkpointing=False), 2.5)
    resumed = ValidateIfImproved()
    resumed.load_state_dict(callback.state_dict())
    assert resumed.best == 2.5
