"""Every encoder, every loss and the classical models on MovieLens-100K: python -m experiments.ml100k_grid.run --help

Each cell gets the same small budget: three settings (popularity has nothing to set) with seed 0, compared by validation
NDCG@10. The best is run over the other seeds and goes into results.csv, all into search.csv. Finished runs are skipped:
a killed grid continues.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Console

from experiments.runs import side_by_side, train
from experiments.tables import markdown
from recsys.report.aggregation import every_run
from recsys.report.runs import Run, load_run
from recsys.report.tables import study_table

SEEDS = (0, 1, 2)
Setting = tuple[str, ...]
NEURAL: list[Setting] = [
    ("optimizer.lr=0.001", "model.dropout=0.2"),
    ("optimizer.lr=0.001", "model.dropout=0.5"),
    ("optimizer.lr=0.003", "model.dropout=0.5"),
]
FACTORS: list[Setting] = [
    ("optimizer.lr=0.001", "optimizer.weight_decay=0.0"),
    ("optimizer.lr=0.001", "optimizer.weight_decay=0.00001"),
    ("optimizer.lr=0.003", "optimizer.weight_decay=0.00001"),
]
LONG = ["callbacks=patient", "trainer.max_epochs=300"]  # few targets a row and epoch: many cheap epochs


class Cell(NamedTuple):
    """One row of the table: its name, the overrides that make it, the settings to choose among."""

    name: str
    overrides: list[str]
    settings: list[Setting]


CELLS = [
    Cell("pop", ["model=pop"], [()]),
    Cell(
        "itemknn",
        ["model=itemknn"],
        [
            ("model.num_neighbours=10",),
            ("model.num_neighbours=50",),
            ("model.num_neighbours=50", "model.shrinkage=10.0"),
        ],
    ),
    Cell("ease", ["model=ease"], [("model.l2=50.0",), ("model.l2=100.0",), ("model.l2=250.0",)]),
    Cell("slim", ["model=slim"], [("model.l1=1.0",), ("model.l1=3.0",), ("model.l1=3.0", "model.l2=200.0")]),
    Cell("mf-bpr", ["model=mf"], FACTORS),
    Cell("fpmc-bpr", ["model=fpmc"], FACTORS),
    Cell("multidae", ["model=multidae"], NEURAL),
    Cell("multivae", ["model=multivae"], NEURAL),
    Cell("sasrec-ce", ["loss=ce"], NEURAL),
    Cell("sasrec-ce, in batch", ["loss=ce", "sampler=in_batch", "sampler.log_q=true"], NEURAL),
    Cell("sasrec-ce, 512 shared", ["loss=ce", "sampler=shared", "sampler.log_q=true"], NEURAL),
    Cell(
        "sasrec-ce, 512 shared by popularity",
        ["loss=ce", "sampler=shared", "sampler/distribution=popularity", "sampler.log_q=true"],
        NEURAL,
    ),
    Cell("sasrec-bce, 1 uniform", ["loss=bce"], NEURAL),
    Cell("sasrec-gbce, 256 uniform", ["loss=gbce"], NEURAL),
    Cell("sasrec-bpr, 1 uniform", ["loss=bpr"], NEURAL),
    Cell("sasrec-bpr_max, 512 shared", ["loss=bpr_max"], NEURAL),
    Cell("sasrec-top1_max, 512 shared", ["loss=top1_max"], NEURAL),
    Cell("gru4rec-ce", ["model=gru4rec"], NEURAL),
    Cell("caser-ce", ["model=caser"], NEURAL),
    Cell("lrurec-ce", ["model=lrurec"], NEURAL),
    Cell("fmlprec-ce", ["model=fmlprec"], NEURAL),
    Cell("fmlprec_circular-ce", ["model=fmlprec_circular", *LONG], NEURAL),
    Cell("hstu-ce", ["model=hstu"], NEURAL),
    Cell("hstu with times-ce", ["model=hstu", "model.num_time_buckets=128"], NEURAL),
    Cell("esasrec-ce, 256 uniform", ["model=esasrec"], NEURAL),
    Cell("bert4rec-ce", ["model=bert4rec", *LONG], NEURAL),
    Cell("s3rec-ce, not pre-trained", ["model=s3rec"], NEURAL),
]


def run_of(cell: Cell, setting: Setting, *, seed: int, root: Path) -> Run | None:
    """One run of a cell; None where it fails."""
    path = root / cell.name / (",".join(setting) or "default") / f"seed{seed}"
    return train([*cell.overrides, *setting, "study=ml100k_grid"], path, name=cell.name, seed=seed)


def work(cell: Cell, root: Path) -> None:
    """Chooses the cell's setting with the first seed, then runs it over the others; writes chosen.json."""
    tried = {setting: run_of(cell, setting, seed=SEEDS[0], root=root) for setting in cell.settings}
    scores = {setting: run.metrics["val/ndcg@10"] for setting, run in tried.items() if run is not None}
    if not scores:
        return
    best = max(scores, key=scores.__getitem__)
    runs = [tried[best], *(run_of(cell, best, seed=seed, root=root) for seed in SEEDS[1:])]
    (root / cell.name / "chosen.json").write_text(json.dumps(best))
    found = ", ".join(f"{run.metrics['val/ndcg@10']:.4f}" for run in runs if run is not None)
    print(f"{cell.name} {' '.join(best)}: validation NDCG@10 {found}", flush=True)


def report(root: Path, folder: Path) -> None:
    """Tables of what is finished: results.csv of the chosen settings, search.csv of the first seed's runs."""
    chosen, tried = [], []
    for cell in CELLS:
        choice = root / cell.name / "chosen.json"
        best = ",".join(json.loads(choice.read_text())) or "default" if choice.exists() else None
        for record in sorted((root / cell.name).glob("*/seed*/run.json")):
            run, setting = load_run(record.parent), record.parent.parent.name
            row = every_run([run]).assign(setting=setting)
            tried += [row] if run.seed == SEEDS[0] else []
            chosen += [(run, row)] if setting == best else []
    if not tried:
        raise SystemExit(f"{root} holds no run of this grid; leave out --report to make them")
    pd.concat(tried).to_csv(folder / "search.csv", index=False)
    if not chosen:
        return
    results = pd.concat([row for _, row in chosen])
    results.to_csv(folder / "results.csv", index=False)
    settings = results["setting"].str.replace("optimizer.", "").str.replace("model.", "").str.replace(",", ", ")
    table = markdown(results.assign(setting=settings), name="model", setting="chosen")
    (folder / "table.md").write_text(table)
    Console(width=110).print(study_table([run for run, _ in chosen]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="cells at work at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs/ml100k_grid"), help="where runs are kept")
    names = [cell.name for cell in CELLS]
    parser.add_argument(
        "--cells", nargs="*", default=names, choices=names, metavar="CELL", help="some cells only, by name"
    )
    parser.add_argument("--report", action="store_true", help="run nothing: tables of what is there")
    options = parser.parse_args()
    root = options.root.resolve()
    if not options.report:
        side_by_side([partial(work, cell, root) for cell in CELLS if cell.name in options.cells], jobs=options.jobs)
    report(root, Path(__file__).parent)


if __name__ == "__main__":
    main()
