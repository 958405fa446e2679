"""What `recsys refit` needs of a training: an end that validation does not set, and a beginning in the middle."""

from pathlib import Path

import torch
from pytorch_lightning import Callback, LightningModule, Trainer


class StopAfter(Callback):
    """Ends training after so many epochs; unlike max_epochs it leaves schedules as long as they were."""

    def __init__(self, *, epochs: int) -> None:
        self.epochs = epochs

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch + 1 >= self.epochs:
            trainer.should_stop = True


class ContinueFrom(Callback):
    """Starts with the optimiser and the learning rate that a checkpoint was left with.

    Nothing is done where the training itself is being resumed.
    """

    def __init__(self, *, checkpoint: Path) -> None:
        self.checkpoint = checkpoint

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch:
            return
        left = torch.load(self.checkpoint, map_location=pl_module.device, weights_only=True)
        for optimizer, state in zip(trainer.optimizers, left["optimizer_states"], strict=True):
            optimizer.load_state_dict(state)
        for config, state in zip(trainer.lr_scheduler_configs, left["lr_schedulers"], strict=True):
            config.scheduler.load_state_dict(state)
