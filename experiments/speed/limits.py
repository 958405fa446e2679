"""The machine's limits and how near a training step comes to them: python experiments/speed/limits.py -- [overrides]

Prints GFLOP/s of 2048 x 2048 float32 and bfloat16 products, the share of the float32 peak that an epoch of SASRec
reaches (operations of products only, counted from the shapes), and where its time goes; limits.csv.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as `recsys` sets it, before torch is imported

import pandas as pd
import torch
from compare import CASES, SIZE, Case
from ours import built, composed
from torch import Tensor

from recsys.data.batches import TrainBatch
from recsys.products import prefer_onednn
from recsys.scoring import mean_loss
from recsys.tasks.sequential import SequentialRecommender

STAGES = ("encoder", "candidates", "loss with its gradient", "backward", "optimiser")


def gflops(operations: float, work: Callable[[], object], *, repeats: int = 20) -> float:
    """Best of a few runs."""
    work()
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return operations / best / 1e9


def peaks() -> dict[str, float]:
    """GFLOP/s of square products, by library and type."""
    one, other = torch.randn(2048, 2048), torch.randn(2048, 2048)
    found = {"float32, torch's default": gflops(2 * 2048**3, lambda: one @ other)}
    prefer_onednn()
    found["float32, as used here"] = gflops(2 * 2048**3, lambda: one @ other)
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


def stages(overrides: list[str]) -> torch.Tensor:
    """Seconds of each stage in an epoch with full cross-entropy."""
    parts = built(composed([*SIZE, "loss=ce", *overrides]))
    task = parts.task
    assert isinstance(task, SequentialRecommender)
    task.train()
    optimizer = torch.optim.Adam(task.parameters(), fused=True)
    batches = list(parts.datamodule.train_dataloader())
    for batch in batches[:8]:
        timed_step(task, optimizer, batch)
    return torch.stack([timed_step(task, optimizer, batch) for batch in batches]).sum(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", help="such as data.path=ml-1m_sas.txt")
    overrides = parser.parse_args().overrides
    peak = peaks()
    for name, rate in peak.items():
        print(f"{name:30} {rate:7.0f} GFLOP/s")
    best = peak["float32, as used here"]
    found = {case.name: products_of(case, overrides) for case in CASES}
    records = [
        {"case": case, "gflop": gflop, "positions": positions, "peak_gflops": best}
        for case, (gflop, positions) in found.items()
    ]
    pd.DataFrame(records).to_csv(Path(__file__).parent / "limits.csv", index=False)
    seconds = stages(overrides)
    for name, spent in zip(STAGES, seconds.tolist(), strict=True):
        print(f"{name:30} {spent:7.2f} s")
    rate = found[CASES[0].name][0] / float(seconds.sum())
    print(f"an epoch: {seconds.sum():.2f} s, {rate:.0f} GFLOP/s, {rate / best:.0%} of the float32 peak")


if __name__ == "__main__":
    main()
