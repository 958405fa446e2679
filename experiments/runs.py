"""What the studies share: training runs in processes of their own, each skipped where it is finished."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recsys.report.runs import Run, load_run


def train(overrides: Iterable[str], path: Path, *, name: str, seed: int) -> Run | None:
    """The run in that directory, on one thread; None, and what it said, where it fails."""
    facts = [f"output_dir='{path}'", f"name='{name}'", f"seed={seed}", "trainer.enable_progress_bar=false"]
    return load_run(path) if recsys("train", *overrides, *facts) else None


def recsys(*arguments: str) -> bool:
    """Runs the command on one thread; whether it succeeded. What it said is printed where it did not."""
    done = subprocess.run(
        [sys.executable, "-m", "recsys", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    if done.returncode:
        print(f"FAILED recsys {' '.join(arguments)}: {done.stderr.strip()[-500:]}", flush=True)
    return done.returncode == 0


def side_by_side(work: Iterable[Callable[[], object]], *, jobs: int) -> None:
    """Calls each, `jobs` of them at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(each) for each in work]:
            done.result()
