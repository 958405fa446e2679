"""Run directories made by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunWriter = Callable[..., Path]


@pytest.fixture
def write_run(tmp_path: Path) -> RunWriter:
    """Writes tmp_path/<data>/<name>/seed<k>/run.json, the given keys changed; returns its directory."""

    def write(**changes: Any) -> Path:
        record = {
            "status": "finished",
            "name": "sasrec-ce",
            "data": "toy",
            "seed": 0,
            "config": {"monitor": "val/ndcg@10"},
            "fingerprints": {"data": "d1", "split": "s1", "protocol": "full"},
            "num_parameters": 1234,
            "seconds": {"fit": 40, "total": 50.5},
            "peak_memory_gb": 0.8,
            "best_epoch": 12,
            "epochs": 17,
            "metrics": {"val/ndcg@10": 0.3, "test/hr@10": 0.2, "test/ndcg@10": 0.1},
            "baselines": {"pop": {"test/hr@10": 0.08, "test/ndcg@10": 0.04}},
        } | changes
        directory = tmp_path / record["data"] / record["name"] / f"seed{record['seed']}"
        directory.mkdir(parents=True)
        (directory / "run.json").write_text(json.dumps(record))
        return directory

    return write
