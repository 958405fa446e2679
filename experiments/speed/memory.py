"""Peak memory of a step with full softmax cross-entropy against the size of the catalogue: memory.csv.

    python experiments/speed/memory.py

4,096 positions, 64 wide, float32; forward, loss, gradients of queries and table; each size in a process of its own. The
logits alone would take 4 bytes x 4,096 x V.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

POSITIONS, DIM = 4096, 64
STEP = """
import json, sys, time
import torch
from recsys.candidates import Candidates
from recsys.runs.environment import peak_memory_gb
from recsys.losses import CrossEntropy
from recsys.products import prefer_onednn
from recsys.scoring import ItemTable, mean_loss
prefer_onednn()
positions, dim, items = map(int, sys.argv[1:])
before = peak_memory_gb()
table = torch.randn(items, dim, requires_grad=True)
queries = torch.randn(positions, dim, requires_grad=True)
candidates = Candidates(items=None, target=torch.randint(items, (positions,)), num_items=items)
started = time.perf_counter()
mean_loss(queries, ItemTable(table, None), candidates, CrossEntropy(), rows=256).backward()
print(json.dumps(dict(items=items, seconds=time.perf_counter() - started, before_gb=before, peak_gb=peak_memory_gb())))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="*", default=[1000, 10_000, 100_000, 300_000, 1_000_000])
    records = []
    for items in parser.parse_args().items:
        command = [sys.executable, "-c", STEP, *map(str, (POSITIONS, DIM, items))]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        records.append(json.loads(done.stdout) | {"logits_gb": 4 * POSITIONS * items / 2**30})
        print(records[-1], flush=True)
    pd.DataFrame(records).to_csv(Path(__file__).parent / "memory.csv", index=False)


if __name__ == "__main__":
    main()
