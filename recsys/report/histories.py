"""What runs logged epoch by epoch, for learning curves and time to quality."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MOST = 160  # points per curve; more are not seen


def history(directory: Path, *, metric: str) -> dict[str, list[float]] | None:
    """Columns epoch, seconds, value (validation), best (so far) of the epochs validated, and loss; None without them.

    A log that is empty, half-written or of another metric has no history and is no mistake: the run's record counts.
    """
    try:
        rows: Any = pd.read_csv(directory / "metrics.csv")
    except (OSError, ValueError):  # pandas' parser errors are ValueErrors
        return None
    column = f"val/{metric}"
    if not {"epoch", "seconds", column} <= set(rows.columns):
        return None
    rows = rows.apply(pd.to_numeric, errors="coerce").dropna(subset=["epoch", "seconds", column])
    if rows.empty:
        return None
    rows = rows.assign(best=rows[column].cummax())
    kept = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).round().astype(int))]
    names = {"epoch": "epoch", "seconds": "seconds", "value": column, "best": "best", "loss": "train/loss"}
    return {name: _numbers(kept.get(key, pd.Series(dtype=float))) for name, key in names.items()}


def unfinished(root: Path) -> list[Path]:
    """Directories below `root` that log epochs but have no record yet."""
    return sorted(file.parent for file in root.rglob("metrics.csv") if not (file.parent / "run.json").exists())


def _numbers(values: Any) -> list[float]:
    return [float(f"{value:.5g}") for value in values]
