"""Records of runs that never were, for tests of what reads them."""

import json
from pathlib import Path
from typing import Any


def write_record(directory: Path, **changes: Any) -> Path:
    """Writes run.json of a finished run, the given keys changed, into a new directory, and returns that."""
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
    directory.mkdir(parents=True)
    (directory / "run.json").write_text(json.dumps(record))
    return directory
