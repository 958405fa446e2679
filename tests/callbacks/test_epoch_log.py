"""metrics.csv, written by a Trainer that trains one number."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from recsys.callbacks import EpochLog


class Toy(LightningModule):
    """Logs a constant loss, and the epoch as its validation metric."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        self.log("train/loss", 2.0, on_step=False, on_epoch=True, batch_size=1)
        return (self.weight * batch).sum()

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("val/epoch", float(self.current_epoch), batch_size=1)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=1.0)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)]


class Unoptimised(Toy):
    def training_step(self, batch: Tensor, batch_idx: int) -> None:
        """Nothing to minimise."""

    def configure_optimizers(self) -> None:
        return None


def logged(path: Path, toy: LightningModule, **settings: Any) -> pd.DataFrame:
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    log, data = EpochLog(path=str(path / "metrics.csv")), DataLoader(torch.ones(3))  # pyright: ignore
    Trainer(max_epochs=4, accelerator="cpu", callbacks=[log], **quiet, **settings).fit(toy, data, data)
    return pd.read_csv(path / "metrics.csv")


def test_one_line_per_epoch_with_the_rate_its_steps_used(tmp_path: Path):
    table = logged(tmp_path, Toy())
    assert table["epoch"].tolist() == [0, 1, 2, 3]
    assert table["lr"].tolist() == [1.0, 0.5, 0.25, 0.125]
    assert table["train/loss"].tolist() == [2.0] * 4
    assert table["val/epoch"].tolist() == [0, 1, 2, 3]
    assert table["seconds"].is_monotonic_increasing


def test_an_epoch_without_validation_has_no_metric(tmp_path: Path):
    values = logged(tmp_path, Toy(), check_val_every_n_epoch=3)["val/epoch"]
    assert values.isna().tolist() == [True, True, False, True]
    assert values[2] == 2


@pytest.mark.parametrize("every", [1, 2])
def test_a_model_without_optimiser_has_no_rate(every: int, tmp_path: Path):
    table = logged(tmp_path, Unoptimised(), check_val_every_n_epoch=every)
    assert "lr" not in table
    assert table["val/epoch"].notna().tolist() == [(epoch + 1) % every == 0 for epoch in range(4)]


def test_a_kill_while_it_is_written_leaves_the_earlier_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def killed(self: csv.DictWriter, rows: list[Any]) -> None:
        if len(rows) == 3:
            raise KeyboardInterrupt
        for row in rows:
            self.writerow(row)

    monkeypatch.setattr(csv.DictWriter, "writerows", killed)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        logged(tmp_path, Toy())
    assert pd.read_csv(tmp_path / "metrics.csv")["epoch"].tolist() == [0, 1]
