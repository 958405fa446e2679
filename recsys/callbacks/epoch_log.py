"""The run's diary: metrics.csv."""

import csv
import time
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from torch.optim import Optimizer

from recsys.whole_files import written_whole


class EpochLog(Callback):
    """One CSV line per epoch: epoch, seconds since training began, learning rate, training loss, validation metrics.

    The learning rate is that of the epoch's last step. Validation metrics are empty where the epoch was not validated.
    A resumed run continues the file: lines of epochs that are run again are replaced. A kill leaves it whole.
    """

    def __init__(self, *, path: str) -> None:
        self.path = Path(path)
        self.rows: list[dict[str, Any]] = []
        self.started = 0.0
        self.learning_rate: dict[str, float] = {}  # empty where nothing is optimised by gradient
        self.validated = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.path.exists() and trainer.current_epoch:
            with self.path.open(newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < trainer.current_epoch]
        before = float(self.rows[-1]["seconds"]) if self.rows else 0.0
        self.started = time.perf_counter() - before

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validated = False

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        for group in optimizer.param_groups[:1]:  # none in Lightning's stand-in for no optimiser
            self.learning_rate = {"lr": group["lr"]}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.validated = True

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        row = {
            "epoch": trainer.current_epoch,
            "seconds": round(time.perf_counter() - self.started, 3),
            **self.learning_rate,
        }
        for name, value in trainer.callback_metrics.items():
            if self.validated or not name.startswith("val/"):  # Lightning keeps the values of earlier epochs
                row[name] = float(value)
        self.rows.append(row)
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with written_whole(self.path) as partial, partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
