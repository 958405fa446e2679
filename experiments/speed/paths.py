"""Test NDCG@10 by compiled code and by torch's own operations, over seeds: paths.csv.

    python experiments/speed/paths.py [--seeds 0 1 2 3 4]

SASRec with full cross-entropy on MovieLens-100K. CC=none leaves attention, dropout, softmax and whatever else is C to
torch's own operations (recsys/kernels), which draw other random numbers for dropout: what differs is noise, as between
seeds. Finished runs are read, not run again.
"""

import argparse
from pathlib import Path

import pandas as pd
from training import trained

PATHS = {"compiled": {}, "torch alone": {"CC": "none"}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--root", type=Path, default=Path("outputs/speed_paths"), help="where runs are kept")
    options = parser.parse_args()
    records = []
    for seed in options.seeds:
        for name, environment in PATHS.items():
            path = options.root.resolve() / name / f"seed{seed}"
            record = trained(path, ["loss=ce", "study=speed_paths"], name=name, seed=seed, environment=environment)
            found = {metric: record["metrics"][metric] for metric in ("val/ndcg@10", "test/ndcg@10")}
            records.append({"path": name, "seed": seed, "epochs": record["epochs"], **record["seconds"], **found})
    table = pd.DataFrame(records)
    table.to_csv(Path(__file__).parent / "paths.csv", index=False)
    print(table.round(4).to_string(index=False))
    print(table.groupby("path")["test/ndcg@10"].agg(["mean", "std"]).round(4).to_string())


if __name__ == "__main__":
    main()
