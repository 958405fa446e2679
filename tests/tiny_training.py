"""`recsys train` on a data set of a few users, in the workplace of the commands' tests."""

import json
from pathlib import Path

import torch

from recsys.commands.cli import main

TINY = (
    "data=csv",
    "data.name=tiny",
    "data.reader.timestamp=timestamp",
    "max_length=10",
    "batch_size=16",
    "model.dim=8",
    "model.feedforward_dim=8",
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
)


def train(*overrides: str) -> int:
    return main(["train", *TINY, "data.path=tiny.csv", *overrides])


def records(root: Path = Path("outputs")) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(root.rglob("run.json"))]


def the_run() -> Path:
    (path,) = Path("outputs").rglob("run.json")
    return path.parent


def weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "best.ckpt", weights_only=True)["state_dict"]
