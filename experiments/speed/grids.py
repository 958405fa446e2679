"""A grid of 30 runs on MovieLens-100K, one job at a time on one core and on two, and two jobs: grids.csv; and a start.

python experiments/speed/grids.py
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

TRAIN = [sys.executable, "-m", "recsys", "train"]
GRID = ["-m", "loss=ce,bce,bpr", "seed=range(0,10)", "trainer.max_epochs=5", "trainer.enable_progress_bar=false"]


def timed(command: list[str], root: Path, **environment: str) -> float:
    """Seconds of the command, which starts from nothing."""
    shutil.rmtree(root, ignore_errors=True)
    started = time.perf_counter()
    subprocess.run(command, check=True, cwd=root.parent, env={**os.environ, **environment}, capture_output=True)
    return time.perf_counter() - started


def start_up(root: Path) -> float:
    """Seconds from the command to the first step: of a run of one step, less what comes after training."""
    shutil.rmtree(root, ignore_errors=True)
    command = [*TRAIN, "trainer.max_epochs=1", "+trainer.limit_train_batches=1", f"output_dir='{root}'"]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=root.parent, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not (root / "metrics.csv").exists():
            time.sleep(0.02)
        seconds = time.perf_counter() - started
    return seconds - float(pd.read_csv(root / "metrics.csv")["seconds"].iloc[0])


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    root = Path("outputs/speed_grid").resolve()
    root.parent.mkdir(exist_ok=True)
    study = [f"study={root.name}", f"hydra.sweep.dir='{root}'"]
    records = [{"what": "from the command to the first step", "seconds": start_up(root)}]
    for cores, environment in (("one core", {"OMP_NUM_THREADS": "1"}), ("two cores", {})):
        seconds = timed([*TRAIN, *GRID, *study], root, **environment)
        records.append({"what": f"30 runs, one job on {cores}", "seconds": seconds})
    parallel = [*TRAIN, *GRID, *study, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    records.append({"what": "30 runs, two jobs of one core each", "seconds": timed(parallel, root)})
    table = pd.DataFrame(records)
    table.to_csv(Path(__file__).parent / "grids.csv", index=False)
    print(table.round(1).to_string(index=False))


if __name__ == "__main__":
    main()
