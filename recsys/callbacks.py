"""What happens around training besides training."""

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer


class EpochSeed(Callback):
    """Seeds torch from (seed, epoch) at the start of each epoch.

    Dropout and negatives of an epoch then depend on nothing that happened before it: a run resumed from an epoch's
    checkpoint draws what the uninterrupted run would have drawn.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        state = np.random.SeedSequence((self.seed, trainer.current_epoch)).generate_state(1, np.uint64)
        torch.manual_seed(int(state[0]))


class EpochLog(Callback):
    """One CSV line per epoch: epoch, seconds since training began, learning rate, training loss, validation metrics.

    A resumed run continues the file: lines of epochs that are run again are replaced.
    """

    def __init__(self, *, path: str) -> None:
        self.path = Path(path)
        self.rows: list[dict[str, Any]] = []
        self.started = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self.path.exists() and trainer.current_epoch:
            with self.path.open(newline="") as file:
                self.rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < trainer.current_epoch]
        before = float(self.rows[-1]["seconds"]) if self.rows else 0.0
        self.started = time.perf_counter() - before

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        validated = (trainer.current_epoch + 1) % (trainer.check_val_every_n_epoch or 1) == 0
        row = {
            "epoch": trainer.current_epoch,
            "seconds": round(time.perf_counter() - self.started, 3),
            "lr": trainer.optimizers[0].param_groups[0]["lr"],
        }
        for name, value in trainer.callback_metrics.items():
            if validated or not name.startswith("val/"):
                row[name] = float(value)
        self.rows.append(row)
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self.rows)
