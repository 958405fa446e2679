"""The figure of RecBole's documentation, through this grid: python -m experiments.recbole_zoo.documented --help

GRU4Rec on MovieLens-100K, embedding 64, hidden size 128, leave-one-out, every item ranked, seen ones too; MRR@10
chooses the epoch. All prefixes of a history are trained in one pass, 32 histories of at most 200 items at a time (about
3,400 prefixes; RecBole: batches of 4,096 prefixes of at most 50 items). Finished runs are skipped. documented.csv
"""

import argparse
from functools import partial
from pathlib import Path

import pandas as pd

from experiments.runs import side_by_side, train

DOCUMENTED = {"recall@10": 0.1103, "mrr@10": 0.0337, "ndcg@10": 0.0513}  # RecBole's page of results on MovieLens-100K
RECIPE = [
    *("model=recbole", "model.name=GRU4Rec", "task=recbole_all_positions", "eval=full_kept", "monitor=val/mrr@10"),
    *("max_length=200", "batch_size=32", "study=recbole_gru4rec"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2, help="runs at once, one thread each (default: 2)")
    parser.add_argument("--root", type=Path, default=Path("outputs/recbole_gru4rec"), help="where runs are kept")
    options = parser.parse_args()
    root = options.root.resolve()
    works = [partial(train, RECIPE, root / f"seed{seed}", name="recbole GRU4Rec", seed=seed) for seed in options.seeds]
    rows = [{"run": "documented", "best_epoch": 32, "epochs": 44, **DOCUMENTED}]
    for run in side_by_side(works, jobs=options.jobs):
        if run is not None:
            reached = {metric: round(run.metrics[f"test/{metric}"], 4) for metric in DOCUMENTED}
            facts = {"best_epoch": run.best_epoch, "epochs": run.epochs, "fit_cpu_seconds": run.seconds["fit_cpu"]}
            rows.append({"run": f"here, seed {run.seed}", **facts, **reached})
    table = pd.DataFrame(rows)
    table.to_csv(Path(__file__).parent / "documented.csv", index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
