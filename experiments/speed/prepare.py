"""From a table of 20 million interactions to sequences on disk: this framework against RecTools.

    python experiments/speed/prepare.py [--rectools RECTOOLS_ENVIRONMENT/bin/python] [--rows 20000000]

The data is made from a seed (see synthetic.py), as CSV and as Parquet. RecTools is timed from the same file to its
Dataset, which it keeps in memory, and on to each user's items in order of time, as its SASRec has them
(`to_sequences`), which is what this framework writes. Each is timed in a process of its own, once it has imported and
compiled what it needs, in several rounds; peak memory is that process's, up to either point.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import pandas as pd
from synthetic import interactions

PEAK = """
from pathlib import Path
def peak_gb():  # of this program alone: what getrusage tells begins with the parent's
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20
"""
OURS = """
import json, sys, time
import torch
from recsys.data.dataset import InteractionDataset
from recsys.data.sources import Table
from recsys.kernels.library import library
library()
started = time.perf_counter()
reader = Table(user="user", item="item", timestamp="timestamp")
sequences = InteractionDataset(name="synthetic", path=sys.argv[1], cache_dir=sys.argv[2], reader=reader).sequences()
seconds = time.perf_counter() - started
peak = peak_gb()
facts = dict(seconds=seconds, to_sequences=seconds, peak_gb=peak, peak_gb_to_sequences=peak)
print(json.dumps(facts | dict(users=sequences.num_users, rows=sequences.num_interactions)))
"""
THEIRS = """
import json, sys, time
import pandas as pd
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models.nn.transformers.data_preparator import SequenceDataset
started = time.perf_counter()
read = pd.read_parquet if sys.argv[1].endswith("parquet") else pd.read_csv
frame = read(sys.argv[1]).rename(columns={"user": Columns.User, "item": Columns.Item})
frame[Columns.Weight], frame[Columns.Datetime] = 1.0, pd.to_datetime(frame.pop("timestamp"), unit="s")
dataset = Dataset.construct(frame[[Columns.User, Columns.Item, Columns.Weight, Columns.Datetime]])
seconds = time.perf_counter() - started
peak = peak_gb()
sessions = SequenceDataset.from_interactions(dataset.interactions.df).sessions
to_sequences = time.perf_counter() - started
whole = peak_gb()
facts = dict(seconds=seconds, to_sequences=to_sequences, peak_gb=peak, peak_gb_to_sequences=whole)
print(json.dumps(facts | dict(users=len(sessions), rows=len(frame))))
"""


def timed(python: str, program: str, *arguments: str) -> dict:
    """What the program printed."""
    done = subprocess.run([python, "-c", PEAK + program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rectools", help="python of an environment with RecTools")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    records = []
    with tempfile.TemporaryDirectory() as folder:
        frame = interactions(num_users=138_493, num_items=26_744, num_rows=options.rows)
        for suffix, write in (("csv", frame.to_csv), ("parquet", frame.to_parquet)):
            path = str(Path(folder, f"synthetic.{suffix}"))
            write(path, index=False)
        del frame
        for number, suffix in product(range(options.rounds), ("csv", "parquet")):
            path = str(Path(folder, f"synthetic.{suffix}"))
            found = {"recsys": timed(sys.executable, OURS, path, f"{folder}/{suffix}-{number}")}
            if options.rectools:
                found["RecTools"] = timed(options.rectools, THEIRS, path)
            for who, facts in found.items():
                records.append({"who": who, "file": suffix, "round": number, **facts})
                print(records[-1], flush=True)
    table = pd.DataFrame(records)
    table.to_csv(Path(__file__).parent / "prepare.csv", index=False)
    print(table.groupby(["file", "who"])[["seconds", "to_sequences", "peak_gb"]].median().round(2).to_string())


if __name__ == "__main__":
    main()
