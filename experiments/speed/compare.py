"""Times this framework and, where its environment is given, RecTools, alternating in one run; writes epochs.csv.

    python experiments/speed/compare.py --data ml-1m_sas.txt --rectools RECTOOLS_ENVIRONMENT/bin/python

SASRec of the same size on both sides: 64 wide, 2 blocks, 2 heads, feed-forward 64, dropout 0.2, batch 128, the last 200
items, validation left out. An epoch's time is the median over rounds of each process's last epoch.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd

HERE = Path(__file__).parent
SIZE = [
    "data=ml-1m",
    "max_length=200",
    "batch_size=128",
    "model.feedforward_dim=64",
    "model.dropout=0.2",
    "model.attention_dropout=0.2",
    "model.init_std=0.02",
    "scheduler=constant",
]


class Case(NamedTuple):
    """One kind of epoch. ours: overrides; theirs: options of RecTools' driver."""

    name: str
    ours: list[str]
    theirs: list[str]


CASES = [
    Case("full softmax cross-entropy", ["loss=ce"], ["--loss=softmax"]),
    Case("binary cross-entropy, 1 negative", ["loss=bce"], ["--loss=BCE"]),
    Case("gBCE, 256 negatives per position", ["loss=gbce"], ["--loss=gBCE", "--negatives=256"]),
]


def summary(command: list[str]) -> dict:
    """The last JSON line of a driver, its epochs' seconds added."""
    print("$", " ".join(command), flush=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    print(" ", lines[-1], flush=True)
    return {**lines[-1], "seconds": [line["seconds"] for line in lines if line["what"] == "epoch"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="SASRec's ml-1m_sas.txt, not gzipped")
    parser.add_argument("--rectools", help="python of an environment with RecTools; none: ours alone is timed")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--cases", nargs="*", default=[case.name for case in CASES])
    parser.add_argument("--keep", action="store_true", help="add to epochs.csv, do not write it anew")
    options = parser.parse_args()
    table = HERE / "epochs.csv"
    records = pd.read_csv(table).to_dict("records") if options.keep else []
    before = 1 + max((record["round"] for record in records), default=-1)
    for number in range(before, before + options.rounds):
        for case in (case for case in CASES if case.name in options.cases):
            ours = [sys.executable, str(HERE / "ours.py"), "--", *SIZE, f"data.path={options.data}", *case.ours]
            theirs = [options.rectools, str(HERE / "rectools_driver.py"), f"--data={options.data}", *case.theirs]
            for who, command in {"recsys": ours, "RecTools": theirs if options.rectools else None}.items():
                if command is None:
                    continue
                found = summary(command)
                records.append(
                    {
                        "case": case.name,
                        "who": who,
                        "round": number,
                        "epoch_s": found["seconds"][-1],
                        "rank_s": found["rank_s_median"],
                        "rss_gb": found["rss_gb"],
                    }
                )
                pd.DataFrame(records).to_csv(table, index=False)
    medians = pd.DataFrame(records).groupby(["case", "who"])[["epoch_s", "rank_s", "rss_gb"]].median().unstack()
    print(medians.round(2).to_string())
    if options.rectools:
        print((medians.xs("RecTools", axis=1, level=1) / medians.xs("recsys", axis=1, level=1)).round(1).to_string())


if __name__ == "__main__":
    main()
