"""Where commands are run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory with interactions of 40 users in `tiny.csv`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    rows = [(f"u{user}", (user + step) % 20, step) for user in range(40) for step in range(rng.integers(4, 12))]
    pd.DataFrame(rows, columns=["user", "item", "timestamp"]).to_csv("tiny.csv", index=False)
    return tmp_path
