"""When an epoch is validated."""

from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer


class ValidateIfImproved(Callback):
    """Skips the validation of an epoch whose training loss is not below that of every earlier epoch.

    Saves the time that validating would take where the training loss goes up and down. Early stopping counts
    validations, so it does not count the skipped epochs.

    The training loss is the mean over steps, weighted by `positions` where the step returns it beside its loss; over
    all processes, so that they decide alike. A loss that is not a number is no improvement.
    """

    def __init__(self) -> None:
        self.best = float("inf")
        self.sums = torch.zeros(2)  # loss times weight, weight
        self.limit: int | float = 1.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.limit = trainer.limit_val_batches

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.sums = torch.zeros(2, device=pl_module.device)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if "loss" not in outputs:  # a model that is solved for: its epoch is validated
            return
        weight = outputs.get("positions", 1)
        self.sums += torch.stack([outputs["loss"] * weight, torch.full_like(outputs["loss"], weight)])
        if trainer.is_last_batch:
            total, count = trainer.strategy.reduce(self.sums, reduce_op="sum")
            self.decide(trainer, float(total / count))

    def decide(self, trainer: Trainer, loss: float) -> None:
        """Sets the number of validation batches, which Lightning asks for right after an epoch's last batch."""
        improved = loss < self.best
        trainer.limit_val_batches = self.limit if improved else 0
        self.best = loss if improved else self.best

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        trainer.limit_val_batches = self.limit

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]
