"""Every model on films, classical ones beside neural: python -m experiments.movies.leaderboard --help

Boards: MovieLens-100K by leave-one-out and by masked_and_future, MovieLens-1M by leave-one-out, and a folder shaped as
the competition's (competition.py makes one) by masked_and_future. Finished runs are skipped: a killed leaderboard
continues. What stands behind `--` goes to every run: -- trainer.max_epochs=30
"""

import argparse
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Console

from experiments.protocols import run as protocols
from experiments.runs import parsed, reuse, side_by_side, train
from experiments.tables import markdown
from recsys.report.aggregation import every_run
from recsys.report.runs import RunStatus, load_runs
from recsys.report.tables import study_table

STUDY = "movies"
LONG = ["callbacks=patient", "trainer.max_epochs=300"]  # few targets a row and epoch: many cheap epochs
SMALL: dict[str, list[str]] = {  # MovieLens-100K, for which the defaults were chosen
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
NEURAL = [
    *("max_length=200", "batch_size=64", "optimizer.lr=0.002", "scheduler=linear", "trainer.max_epochs=30"),
    "model.dropout=0.2",
]
ENCODERS = (
    *("sasrec-ce", "sasrec-bce", "sasrec-bpr", "gru4rec-ce", "caser-ce", "lrurec-ce", "fmlprec-ce", "hstu-ce"),
    *("esasrec", "s3rec-ce, not pre-trained"),
)
LARGE: dict[str, list[str]] = {  # one setting for all encoders, nothing is searched
    **{name: SMALL[name] for name in ("pop", "slim", "multidae", "multivae")},
    "itemknn": ["model=itemknn", "model.num_neighbours=50"],
    "ease": ["model=ease", "model.l2=500.0"],
    **{name: [*SMALL[name], "batch_size=128"] for name in ("mf-bpr", "fpmc-bpr")},
    **{name: [*SMALL[name], *NEURAL] for name in ENCODERS},
}
MODELS = list(SMALL)
ML_100K, ML_100K_FUTURE = "ml-100k leave-one-out", "ml-100k masked and future"
ML_1M, COMPETITION = "ml-1m leave-one-out", "competition masked and future"
BOARDS = (ML_100K, ML_100K_FUTURE, ML_1M, COMPETITION)


class Board(NamedTuple):
    """One table: its name, data and split, and the models with their settings on it."""

    name: str
    overrides: list[str]
    models: dict[str, list[str]]


def boards(options: argparse.Namespace) -> list[Board]:
    """Those whose data is given."""
    future = "split=masked_and_future"
    found = [
        Board(ML_100K, ["data=ml-100k"], SMALL),
        Board(ML_100K_FUTURE, ["data=ml-100k", future], SMALL),
    ]
    if options.ml_1m:
        path = f"data.path='{options.ml_1m.resolve()}'"
        published = protocols.ML_1M
        found.append(Board(ML_1M, ["data=ml-1m", path], LARGE | published))
    if options.competition:
        path = f"data.path='{options.competition.resolve()}'"
        found.append(Board(COMPETITION, ["data=competition", path, future], LARGE))
    return [board for board in found if board.name in options.boards]


def work(board: Board, model: str, *, seed: int, root: Path, more: list[str]) -> None:
    """One run, unless it is there."""
    folder = root / board.name / model / f"seed{seed}"
    overrides = [*board.models[model], *board.overrides, f"study={STUDY}", *more]
    if run := train(overrides, folder, name=model, seed=seed):
        print(f"{board.name}, {model}, seed {seed}: test NDCG@10 {run.metrics['test/ndcg@10']:.4f}", flush=True)


def report(root: Path, folder: Path) -> None:
    """A table for each board, tables.md, and results.csv of all runs."""
    rows, tables = [], []
    for place in sorted(root.iterdir() if root.is_dir() else []):
        runs, problems = load_runs(place)
        print(f"\n{place.name}", *problems, sep="\n")
        if runs:
            rows.append(every_run(runs).assign(board=place.name))
            ended = rows[-1][rows[-1]["status"] == RunStatus.FINISHED.value]
            tables.append(f"## {place.name}\n\n{markdown(ended, name='model')}")
            Console(width=110).print(study_table(runs))
    if rows:
        pd.concat(rows).to_csv(folder / "results.csv", index=False)
        (folder / "tables.md").write_text("\n".join(tables))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ml-1m", type=Path, help="MovieLens-1M: its folder, ratings.dat or SASRec's file")
    parser.add_argument("--competition", type=Path, help="a competition-shaped folder")
    parser.add_argument("--boards", nargs="*", default=BOARDS, choices=BOARDS, help="some boards only")
    parser.add_argument("--models", nargs="*", default=MODELS, choices=MODELS, help="some models only")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0], help="default: 0")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs/movies"), help="where runs are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where results.csv goes")
    parser.add_argument(
        "--reuse",
        nargs="*",
        default=[],
        metavar="MODEL=DIRECTORY",
        help="finished runs of seed 0 on MovieLens-1M with the same config, to be copied in place of trained",
    )
    parser.add_argument("--report", action="store_true", help="run nothing: tables of what is there")
    options, more = parsed(parser)
    root = options.root.resolve()
    for name, _, source in (given.partition("=") for given in options.reuse):
        reuse(Path(source), root / ML_1M / name / "seed0", name=name, study=STUDY)
    cells = [
        partial(work, board, model, seed=seed, root=root, more=more)
        for seed in options.seeds
        for board in boards(options)
        for model in options.models
        if model in board.models
    ]
    if not options.report:
        side_by_side(cells, jobs=options.jobs)
    report(root, options.out)


if __name__ == "__main__":
    main()
