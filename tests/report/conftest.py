"""Run directories made by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.records import write_record

RunWriter = Callable[..., Path]


@pytest.fixture
def write_run(tmp_path: Path) -> RunWriter:
    """Writes tmp_path/<data>/<name>/seed<k>/run.json, the given keys changed; returns its directory."""

    def write(**changes: Any) -> Path:
        named = {"data": "toy", "name": "sasrec-ce", "seed": 0} | changes
        return write_record(tmp_path / named["data"] / named["name"] / f"seed{named['seed']}", **changes)

    return write


@pytest.fixture
def write_scored(write_run: RunWriter) -> RunWriter:
    """Like write_run, with per_user.parquet and metrics.csv; `scores` is ndcg@10 of each user, the record its mean."""

    def write(scores: np.ndarray, *, users: list | None = None, validation: float = 0.1, **changes: Any) -> Path:
        metrics = {"val/ndcg@10": validation, "test/ndcg@10": float(np.mean(scores)), "test/hr@10": 0.2}
        directory = write_run(**{"metrics": metrics, "baselines": {}} | changes)
        frame = pd.DataFrame({"user": users or list(range(len(scores))), "ndcg@10": scores})
        frame.astype({"ndcg@10": "float32"}).to_parquet(directory / "per_user.parquet")
        log = pd.DataFrame({"epoch": [0, 1, 2], "seconds": [1.0, 2, 3], "val/ndcg@10": [0.05, validation, 0.08]})
        log.assign(**{"train/loss": [3.0, 2.0, 1.5]}).to_csv(directory / "metrics.csv", index=False)
        return directory

    return write


@pytest.fixture
def write_study(write_scored: RunWriter, tmp_path: Path) -> Callable[..., Path]:
    """Three models, three seeds, on each of the data sets: `good` beats `fair`, which `poor` can't reach."""

    def write(data: tuple[str, ...] = ("toy",), *, num_users: int = 120) -> Path:
        rng = np.random.default_rng(3)
        for name in data:
            base = rng.choice([0, 0.39, 0.63, 1.0], num_users, p=[0.6, 0.2, 0.1, 0.1])
            for model, share in (("good", 1.0), ("fair", 0.7), ("poor", 0.2)):
                for seed in range(3):
                    kept = rng.random(num_users) < share
                    coverage = {"test/coverage@10": share}
                    scores = base * kept
                    metrics = {"val/ndcg@10": share / 3, "test/ndcg@10": float(scores.mean())} | coverage
                    write_scored(scores, data=name, name=model, seed=seed, validation=share / 3, metrics=metrics)
        return tmp_path

    return write
