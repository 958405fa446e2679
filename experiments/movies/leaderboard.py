"""Every model on films, classical ones beside neural: python -m experiments.movies.leaderboard --help

Boards: MovieLens-100K by leave-one-out and by masked_and_future, MovieLens-1M by leave-one-out, and a folder shaped as
the competition's (competition.py makes one) by masked_and_future. Every model has the settings of its recipe. Finished
runs are skipped: a killed leaderboard continues. What stands behind `--` goes to every run: -- trainer.max_epochs=30
"""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Console

from experiments.runs import side_by_side, train
from recsys.report.aggregation import every_run
from recsys.report.runs import RunStatus, load_run, load_runs
from recsys.report.tables import study_table

LONG = ["callbacks=patient", "trainer.max_epochs=300"]  # few targets a row and epoch: many cheap epochs
MODELS: dict[str, list[str]] = {
    "pop": ["model=pop"],
    "itemknn": ["model=itemknn"],
    "ease": ["model=ease"],
    "slim": ["model=slim"],
    "mf-bpr": ["model=mf"],
    "fpmc-bpr": ["model=fpmc"],
    "multidae": ["model=multidae"],
    "multivae": ["model=multivae"],
    "sasrec-ce": ["model=sasrec", "loss=ce"],
    "sasrec-bce": ["model=sasrec", "loss=bce"],
    "sasrec-bpr": ["model=sasrec", "loss=bpr"],
    "gru4rec-ce": ["model=gru4rec"],
    "caser-ce": ["model=caser"],
    "lrurec-ce": ["model=lrurec"],
    "fmlprec-ce": ["model=fmlprec"],
    "hstu-ce": ["model=hstu"],
    "esasrec": ["model=esasrec"],
    "s3rec-ce, not pre-trained": ["model=s3rec"],
    "bert4rec-ce": ["model=bert4rec", *LONG],
}


class Board(NamedTuple):
    """One table: its name, the data and the split."""

    name: str
    overrides: list[str]


def boards(options: argparse.Namespace) -> list[Board]:
    """Those whose data is given."""
    found = [
        Board("ml-100k leave-one-out", ["data=ml-100k"]),
        Board("ml-100k masked and future", ["data=ml-100k", "split=masked_and_future"]),
    ]
    if options.ml_1m:
        path = f"data.path='{options.ml_1m.resolve()}'"
        found.append(Board("ml-1m leave-one-out", ["data=ml-1m", path, "batch_size=128"]))
    if options.competition:
        path = f"data.path='{options.competition.resolve()}'"
        found.append(
            Board(
                "competition masked and future",
                ["data=competition", path, "split=masked_and_future", "batch_size=128"],
            )
        )
    return found


def work(board: Board, model: str, *, seed: int, root: Path, more: list[str]) -> None:
    """One run, unless it is there."""
    folder = root / board.name / model / f"seed{seed}"
    if (folder / "run.json").exists() and load_run(folder).status is RunStatus.FINISHED:
        print(f"there already: {board.name}, {model}, seed {seed}", flush=True)
    elif run := train([*MODELS[model], *board.overrides, "study=movies", *more], folder, name=model, seed=seed):
        print(f"{board.name}, {model}, seed {seed}: test NDCG@10 {run.metrics['test/ndcg@10']:.4f}", flush=True)


def report(root: Path, folder: Path) -> None:
    """A table for each board, and results.csv of all runs."""
    rows = []
    for place in sorted(root.iterdir() if root.is_dir() else []):
        runs, problems = load_runs(place)
        print(f"\n{place.name}", *problems, sep="\n")
        if runs:
            rows.append(every_run(runs).assign(board=place.name))
            Console(width=110).print(study_table(runs))
    if rows:
        pd.concat(rows).to_csv(folder / "results.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ml-1m", type=Path, help="MovieLens-1M: its folder, ratings.dat or SASRec's file")
    parser.add_argument("--competition", type=Path, help="a competition-shaped folder")
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS), help="some models only")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0], help="default: 0")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs/movies"), help="where runs are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where results.csv goes")
    parser.add_argument("--report", action="store_true", help="run nothing: tables of what is there")
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, more = parser.parse_args(arguments[:end]), arguments[end + 1 :]
    root = options.root.resolve()
    cells = [
        partial(work, board, model, seed=seed, root=root, more=more)
        for seed in options.seeds
        for board in boards(options)
        for model in options.models
    ]
    if not options.report:
        side_by_side(cells, jobs=options.jobs)
    report(root, options.out)


if __name__ == "__main__":
    main()
