"""Does the protocol decide which model is better? python -m experiments.protocols.run --help

Trains one set of models on MovieLens-1M and evaluates each checkpoint under full ranking and two sampled protocols;
trains another on MovieLens-100K under leave-one-out and under a split in time. Finished runs and evaluations are
skipped: a killed study continues. Tables go to the terminal, results.csv, paired_tests.csv and flips.csv beside this
file.
"""

import argparse
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from experiments.protocols.tables import compare_splits, print_study, write_files
from experiments.runs import recsys, reuse, side_by_side, train
from recsys.report.evaluations import read_evaluations
from recsys.report.study import load_study

PROTOCOLS = ("full", "uniform_100", "popularity_100")
SASREC = ["experiment=dross_sasrec"]
ML_1M: dict[str, list[str]] = {
    "pop": ["model=pop", "data=ml-1m"],
    "itemknn": ["model=itemknn", "data=ml-1m", "model.num_neighbours=50"],
    "ease": ["model=ease", "data=ml-1m", "model.l2=500.0"],
    "sasrec-ce": [*SASREC, "loss=ce"],
    "sasrec-bce": [*SASREC, "loss=bce", "sampler/exclude=train"],
    "sasrec-bpr": [*SASREC, "loss=bpr", "sampler/exclude=train", "trainer.max_epochs=200"],
    "bert4rec-ce": [
        "experiment=dross_bert4rec",
        "optimizer.lr=0.002",
        "optimizer.betas=[0.9,0.999]",
        "scheduler=linear",
        "trainer.max_epochs=200",
        "callbacks.early_stopping.patience=200",
    ],
    "gru4rec-ce": ["model=gru4rec", "data=ml-1m", "max_length=200", "batch_size=128", "scheduler=constant"],
}
SMALL = ["optimizer.lr=0.001", "model.dropout=0.5"]
ML_100K: dict[str, list[str]] = {
    "pop": ["model=pop"],
    "itemknn": ["model=itemknn", "model.num_neighbours=50"],
    "ease": ["model=ease", "model.l2=250.0"],
    "sasrec-ce": ["loss=ce", *SMALL],
    "sasrec-bce": ["loss=bce", *SMALL],
    "sasrec-bpr": ["loss=bpr", *SMALL],
}
# The next item is asked for under both. Of MovieLens-100K's users most come and go within days: without those whom
# training never met 69 would be left to ask.
SPLITS = {
    "leave_one_out": ["split=leave_one_out", "eval=full_lists"],
    "temporal": ["split=temporal", "split.max_targets=1", "split.ask_cold_users=true", "eval=full_lists"],
}
SEEDS = (0, 1, 2)  # on MovieLens-100K; on MovieLens-1M the first alone


class Job(NamedTuple):
    """One run: where it lies, the overrides that make it, the protocols it is asked under besides its own."""

    folder: Path
    overrides: list[str]
    protocols: Sequence[str] = ()
    seed: int = SEEDS[0]


def jobs_of(options: argparse.Namespace, root: Path) -> list[Job]:
    """Every run of the study, those of MovieLens-1M first."""
    extra = ["data=ml-100k", "trainer.max_epochs=2"] if options.rehearse else []
    place = [f"data.path={options.ml_1m.resolve()}"] if options.ml_1m and not options.rehearse else []
    large = [Job(root / "ml-1m" / name, [*o, *place, *extra], PROTOCOLS) for name, o in chosen(ML_1M, options)]
    quick = ["trainer.max_epochs=2"] if options.rehearse else []
    small = [
        Job(root / split / name, [*o, *cut, *quick], seed=seed)
        for seed in SEEDS
        for split, cut in SPLITS.items()
        for name, o in chosen(ML_100K, options)
    ]
    return [*large, *small]


def chosen(cells: dict[str, list[str]], options: argparse.Namespace) -> Iterable[tuple[str, list[str]]]:
    """Those that the command line names; all without."""
    return ((name, overrides) for name, overrides in cells.items() if not options.cells or name in options.cells)


def work(job: Job) -> None:
    """Trains and evaluates, each in a process of its own; says what it said where it fails."""
    name, folder = job.folder.name, job.folder / f"seed{job.seed}"
    run = train([*job.overrides, "study=protocols"], folder, name=name, seed=job.seed)
    if run is None:
        return
    print(f"{job.folder.parent.name} {name}: validation NDCG@10 {run.metrics['val/ndcg@10']:.4f}", flush=True)
    missing = [option for option in job.protocols if option not in read_evaluations(run)]
    if missing:
        data = [override for override in job.overrides if override.startswith("data.path=")]
        recsys("evaluate", f"run={folder}", f"eval={','.join(missing)}", *data)


def report(root: Path, folder: Path, metric: str) -> None:
    """Tables of what is finished."""
    studies = {
        name: load_study(root / name, metric=metric)
        for name in ("ml-1m", *SPLITS)
        if any((root / name).glob("*/seed*/run.json"))
    }
    for name, study in studies.items():
        print_study(name, study)
    between = compare_splits({name: studies[name] for name in SPLITS if name in studies})
    write_files(folder, studies, between)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ml-1m", type=Path, help="SASRec's ml-1m_sas.txt; without it MovieLens-1M as published")
    parser.add_argument("--jobs", type=int, default=2, help="runs at work at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs/protocols"), help="where runs are kept")
    parser.add_argument("--cells", nargs="*", default=[], help="some models only, by name")
    parser.add_argument("--metric", default="ndcg@10", help="what orders the models (default: ndcg@10)")
    parser.add_argument(
        "--reuse",
        nargs="*",
        default=[],
        metavar="MODEL=DIRECTORY",
        help="finished runs on MovieLens-1M of the same config, to be copied in place of trained",
    )
    parser.add_argument("--report", action="store_true", help="run nothing: tables of what is there")
    parser.add_argument(
        "--rehearse",
        action="store_true",
        help="MovieLens-100K in place of 1M and two epochs: does everything run? Tables go to the root",
    )
    options = parser.parse_args()
    root = (options.root / "rehearsal" if options.rehearse else options.root).resolve()
    for name, _, source in (given.partition("=") for given in options.reuse):
        reuse(Path(source), root / "ml-1m" / name / "seed0", name=name, study="protocols")
    if not options.report:
        side_by_side([partial(work, job) for job in jobs_of(options, root)], jobs=options.jobs)
    report(root, root if options.rehearse else Path(__file__).parent, options.metric)


if __name__ == "__main__":
    main()
