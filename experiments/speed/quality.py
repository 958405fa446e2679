"""Seconds of training until a test NDCG@10 is reached, recipes chosen on validation: quality.csv, quality_epochs.csv.

    python experiments/speed/quality.py --ml1m ml-1m_sas.txt [--seeds 0 1 2]

MovieLens-1M, seen items removed: .180 (SASRec with full cross-entropy: .1821 after 540 s on a GPU, Klenitskiy and
Vasilev, RecSys 2023). MovieLens-100K, seen items kept, as RecBole and RecTools rank: .050. Seconds hold training and
validation. Finished runs are read, not run again.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from training import trained

HERE = Path(__file__).parent


class Recipe(NamedTuple):
    """What is trained, and the test NDCG@10 it is asked for."""

    name: str
    overrides: list[str]
    target: float


def recipes(ml1m: Path) -> list[Recipe]:
    """One per data set."""
    filters = ["model=fmlprec", "scheduler=linear"]
    small = ["eval=full_kept", "model.dropout=0.3", "optimizer.lr=0.004", "trainer.max_epochs=5"]
    large = ["data=ml-1m", f"data.path={ml1m}", "max_length=200", "batch_size=64"]
    large += ["model.dropout=0.2", "optimizer.lr=0.002", "logits=bfloat16"]
    large += ["trainer.max_epochs=30", "trainer.check_val_every_n_epoch=3"]
    return [
        Recipe("MovieLens-100K, seen kept", [*filters, *small], 0.050),
        Recipe("MovieLens-1M", [*filters, *large], 0.180),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ml1m", type=Path, required=True, help="SASRec's ml-1m_sas.txt")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--root", type=Path, default=Path("outputs/speed"), help="where runs are kept")
    options = parser.parse_args()
    results, curves = [], []
    for recipe in recipes(options.ml1m.resolve()):
        for seed in options.seeds:
            path = options.root.resolve() / recipe.name / f"seed{seed}"
            record = trained(path, [*recipe.overrides, "study=speed"], name=recipe.name, seed=seed, environment={})
            labels = {"data": recipe.name, "seed": seed}
            found = {name: record["metrics"][name] for name in ("val/ndcg@10", "test/ndcg@10", "test/hr@10")}
            results.append(labels | record["seconds"] | {"epochs": record["epochs"], **found, "target": recipe.target})
            epochs = pd.read_csv(path / "metrics.csv")[["epoch", "seconds", "val/ndcg@10"]]
            curves.append(epochs.assign(**labels))
    table = pd.DataFrame(results)
    table.to_csv(HERE / "quality.csv", index=False)
    pd.concat(curves).to_csv(HERE / "quality_epochs.csv", index=False)
    print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
