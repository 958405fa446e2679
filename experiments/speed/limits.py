"""The machine's limits and how near a training step comes to them: python experiments/speed/limits.py -- [overrides]

GFLOP/s of 2048 x 2048 float32 and bfloat16 products, the share of the float32 rate that an epoch of SASRec reaches
(operations of products only, counted from the shapes), and where its time goes. In rounds, as a machine's neighbours
are felt for seconds at a time: each times an epoch, then the products (median of 20). limits.csv, stages.csv.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from recsys.startup import settle_process

settle_process()  # as `recsys` does, before torch is imported

import pandas as pd
import torch
from compare import CASES, SIZE, Case
from ours import built, composed
from torch import Tensor

from recsys.data.batches import TrainBatch
from recsys.products import prefer_onednn
from recsys.scoring import mean_loss
from recsys.tasks.sequential import SequentialRecommender

HERE = Path(__file__).parent
FLOAT32 = "float32"
STAGES = ("encoder", "candidates", "loss with its gradient", "backward", "optimiser")


def gflops(operations: float, work: Callable[[], object], *, repeats: int = 20) -> float:
    """Median of a few runs."""
    work()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return operations / statistics.median(seconds) / 1e9


def peaks() -> dict[str, float]:
    """GFLOP/s of square products, as this framework has them multiplied."""
    one, other = torch.randn(2048, 2048), torch.randn(2048, 2048)
    found = {FLOAT32: gflops(2 * 2048**3, lambda: one @ other)}
    one, other = one.bfloat16(), other.bfloat16()
    return found | {"bfloat16": gflops(2 * 2048**3, lambda: one @ other)}


def step_operations(batch: TrainBatch, *, dim: int, hidden: int, blocks: int, num_columns: int) -> float:
    """Floating point operations of the products of a step, forward and backward, on real positions alone."""
    lengths = batch.target_mask.sum(1).double()
    linear = 2 * (4 * dim**2 + 2 * dim * hidden) * lengths.sum()
    attention = 2 * 2 * dim * (lengths * (lengths + 1) / 2).sum()
    logits = 2 * dim * num_columns * len(batch.places)
    return float(3 * (blocks * (linear + attention) + logits))


def timed_step(task: SequentialRecommender, optimizer: torch.optim.Optimizer, batch: TrainBatch) -> Tensor:
    """Seconds of each stage."""
    marks = [time.perf_counter()]
    queries = task.queries(batch)
    marks.append(time.perf_counter())
    candidates = task.sampler(batch.positives, batch)
    marks.append(time.perf_counter())
    loss = mean_loss(queries, task.model.item_table(), candidates, task.loss, rows=task.block_rows)
    marks.append(time.perf_counter())
    optimizer.zero_grad()
    loss.backward()
    marks.append(time.perf_counter())
    optimizer.step()
    return torch.tensor([*marks, time.perf_counter()], dtype=torch.float64).diff()


def products_of(case: Case, overrides: list[str]) -> tuple[float, int]:
    """GFLOP of an epoch's products, and its positions."""
    config = composed([*SIZE, *case.ours, *overrides])
    parts = built(config)
    columns = parts.datamodule.num_items if case.name.startswith("full") else 1 + config.sampler.num_negatives
    size = {"dim": config.model.dim, "hidden": config.model.feedforward_dim, "blocks": config.model.num_blocks}
    batches = list(parts.datamodule.train_dataloader())
    operations = sum(step_operations(batch, **size, num_columns=columns) for batch in batches)
    return operations / 1e9, sum(len(batch.places) for batch in batches)


def epochs(overrides: list[str]) -> Iterator[dict[str, float]]:
    """Seconds of each stage in an epoch with full cross-entropy, epoch by epoch, the first few steps left out."""
    parts = built(composed([*SIZE, "loss=ce", *overrides]))
    task = parts.task
    assert isinstance(task, SequentialRecommender)
    task.train()
    optimizer = torch.optim.Adam(task.parameters(), fused=True)
    batches = list(parts.datamodule.train_dataloader())
    for batch in batches[:8]:
        timed_step(task, optimizer, batch)
    while True:
        seconds = torch.stack([timed_step(task, optimizer, batch) for batch in batches]).sum(0)
        yield dict(zip(STAGES, seconds.tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", help="such as data.path=ml-1m_sas.txt")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    prefer_onednn()
    found = {case.name: products_of(case, options.overrides) for case in CASES}
    gflop, _ = found[CASES[0].name]
    records = []
    for number, stages in zip(range(options.rounds), epochs(options.overrides), strict=False):
        peak, seconds = peaks(), sum(stages.values())
        records.append({"round": number, **peak, "share": gflop / seconds / peak[FLOAT32], "epoch": seconds, **stages})
        print(f"round {number}: {seconds:.2f} s, {records[-1]['share']:.1%} of {peak[FLOAT32]:.0f} GFLOP/s", flush=True)
    rounds = pd.DataFrame(records)
    rounds.round(4).to_csv(HERE / "stages.csv", index=False)
    middle = rounds.median()
    cases = [(case, *size, middle[FLOAT32]) for case, size in found.items()]
    names = ["case", "gflop", "positions", "peak_gflops"]
    pd.DataFrame(cases, columns=pd.Index(names)).to_csv(HERE / "limits.csv", index=False)
    print(middle.round(3).to_string())


if __name__ == "__main__":
    main()
