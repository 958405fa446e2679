"""Every encoder, every loss and the classical models on MovieLens-100K: python experiments/ml100k_grid/run.py --help

Each cell gets the same small budget: the settings of its search space, seed 0, compared by validation NDCG@10. The
chosen setting is run over the seeds and goes into the table. Finished runs are skipped: a killed grid continues.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

SEEDS = (0, 1, 2)
NEURAL = {"optimizer.lr": (0.001, 0.003), "model.dropout": (0.2, 0.5)}
FACTORS = {"optimizer.lr": (0.001, 0.003), "optimizer.weight_decay": (0.0, 0.00001)}
LONG = ["callbacks=patient", "trainer.max_epochs=300"]  # one target a row and epoch: many cheap epochs
Setting = tuple[str, ...]


class Cell(NamedTuple):
    """One row of the table: its name, the overrides that make it, the settings to choose among."""

    name: str
    overrides: list[str]
    space: Mapping[str, tuple]

    def settings(self) -> list[Setting]:
        keys = self.space.keys()
        return [tuple(f"{k}={v}" for k, v in zip(keys, values, strict=True)) for values in self.grid()]

    def grid(self) -> Iterable[tuple]:
        return itertools.product(*self.space.values())


CELLS = [
    Cell("pop", ["model=pop"], {}),
    Cell("itemknn", ["model=itemknn"], {"model.num_neighbours": (10, 50), "model.shrinkage": (0.0, 10.0)}),
    Cell("ease", ["model=ease"], {"model.l2": (50, 100, 250, 500)}),
    Cell("slim", ["model=slim"], {"model.l1": (1.0, 3.0), "model.l2": (50.0, 200.0)}),
    Cell("mf-bpr", ["model=mf"], FACTORS),
    Cell("fpmc-bpr", ["model=fpmc"], FACTORS),
    Cell("multidae", ["model=multidae"], NEURAL),
    Cell("multivae", ["model=multivae"], NEURAL),
    Cell("gru4rec-ce", ["model=gru4rec"], NEURAL),
    Cell("caser-ce", ["model=caser"], NEURAL),
    Cell("bert4rec-ce", ["model=bert4rec", *LONG], NEURAL),
    Cell("fmlprec-ce", ["model=fmlprec"], NEURAL),
    Cell("fmlprec_circular-ce", ["model=fmlprec_circular", *LONG], NEURAL),
    Cell("lrurec-ce", ["model=lrurec"], NEURAL),
    Cell("hstu-ce", ["model=hstu"], NEURAL),
    Cell("hstu with times-ce", ["model=hstu", "model.num_time_buckets=128"], NEURAL),
    Cell("esasrec-ce, 256 uniform", ["model=esasrec"], NEURAL),
    Cell("sasrec-ce", ["loss=ce"], NEURAL),
    Cell("sasrec-ce, in batch", ["loss=ce", "sampler=in_batch", "sampler.log_q=true"], NEURAL),
    Cell("sasrec-ce, 512 shared", ["loss=ce", "sampler=shared", "sampler.log_q=true"], NEURAL),
    Cell("sasrec-bce, 1 uniform", ["loss=bce"], NEURAL),
    Cell("sasrec-gbce, 256 uniform", ["loss=gbce"], NEURAL),
    Cell("sasrec-bpr, 1 uniform", ["loss=bpr"], NEURAL),
    Cell("sasrec-bpr_max, 512 shared", ["loss=bpr_max"], NEURAL),
    Cell("sasrec-top1_max, 512 shared", ["loss=top1_max"], NEURAL),
]


def train(cell: Cell, setting: Setting, *, study: str, seed: int, root: Path) -> Path:
    """Runs one cell in a process of its own; returns the folder of the run, which holds run.json when it succeeded."""
    label = ",".join(setting) or "default"
    folder = root / study / cell.name / label / f"seed{seed}"
    named = [f"name='{cell.name}'", f"study={study}", f"seed={seed}", f"output_dir='{folder}'"]
    command = [sys.executable, "-m", "recsys", "train", *cell.overrides, *setting, *named]
    done = subprocess.run(
        [*command, "trainer.enable_progress_bar=false"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    if done.returncode:
        print(f"FAILED {cell.name} {label}: {done.stderr.strip()[-500:]}", flush=True)
    return folder


def validation(folder: Path) -> float:
    """Validation NDCG@10 of the run in `folder`; -1 where it failed."""
    record = folder / "run.json"
    return json.loads(record.read_text())["metrics"]["val/ndcg@10"] if record.exists() else -1.0


def work(cell: Cell, root: Path) -> None:
    """Chooses the cell's setting with the first seed, then runs it over all seeds."""
    settings = cell.settings()
    if len(settings) > 1:
        tried = {s: validation(train(cell, s, study="search", seed=SEEDS[0], root=root)) for s in settings}
        chosen = max(tried, key=tried.__getitem__)
        (root / "search" / cell.name / "validation_ndcg10.json").write_text(
            json.dumps({" ".join(setting): value for setting, value in tried.items()}, indent=1)
        )
    else:
        chosen = settings[0]
    for seed in SEEDS:
        folder = train(cell, chosen, study="ml100k_grid", seed=seed, root=root)
        print(f"{cell.name} {' '.join(chosen)} seed {seed}: validation NDCG@10 {validation(folder):.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="cells at work at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs"), help="where runs are kept (default: outputs)")
    parser.add_argument("--cells", nargs="*", default=[cell.name for cell in CELLS], help="some cells only, by name")
    options = parser.parse_args()
    chosen = [cell for cell in CELLS if cell.name in options.cells]
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda cell: work(cell, options.root.resolve()), chosen))


if __name__ == "__main__":
    main()
