"""Trials of a search that promise little end early."""

from typing import Protocol

from pytorch_lightning import Callback, LightningModule, Trainer


class Trial(Protocol):
    """What is asked of Optuna's trial."""

    def report(self, value: float, step: int) -> None: ...

    def should_prune(self) -> bool: ...


class Pruning(Callback):
    """Reports each validation to the trial, and ends the run as Ctrl-C would where the trial is given up.

    What Ctrl-C leaves is kept: the best epoch's weights, their metrics, and the state from which the same command
    continues. It comes before an epoch, when the one before is wholly written.

    monitor: the metric reported. pruned: whether the run was ended.
    """

    def __init__(self, trial: Trial, *, monitor: str) -> None:
        self.trial = trial
        self.monitor = monitor
        self.pruned = False

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.sanity_checking:
            self.trial.report(float(trainer.callback_metrics[self.monitor]), step=trainer.current_epoch)

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch and self.trial.should_prune():
            self.pruned = True
            raise KeyboardInterrupt
