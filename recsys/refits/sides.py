"""What a refit does to both sides: the rows that were trained on and those that were held out."""

from typing import NamedTuple

import numpy as np
import torch
from rich import box
from rich.table import Table

from recsys.data.batches import EvalBatch
from recsys.data.collators import Evaluation
from recsys.data.datamodule import InOrder
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.evaluation import FullRanking, Scorer, evaluate
from recsys.metrics.ranking import RankingMetrics
from recsys.runs.rebuilding import Rebuilt

SHOWN = ("ndcg@10", "hr@10")
NAMES = {
    "train": "training: each user's last trained item, among those never had",
    "held_out": "held out: the test questions",
}


class Sides(NamedTuple):
    """Metric -> mean over users, of full ranking with seen items removed."""

    train: dict[str, float]
    held_out: dict[str, float]


def measure(scorer: Scorer, run: Rebuilt) -> Sides:
    """The questions are the run's own, whatever the scorer was trained on.

    On the training side nothing that the user has had competes with the target: a refit has learned the held-out items
    too, and to rank them above it is no fault.
    """
    train, test = training_side(run.data.split), run.data.split.test
    return Sides(
        _ranked(scorer, run, train, had=run.data.sequences.items.take(train.users)), _ranked(scorer, run, test)
    )


def training_side(split: Split) -> EvalSet:
    """The last training item of each user who has two, asked for given those before it."""
    users = np.flatnonzero(split.train.lengths >= 2)
    rows = split.train.take(users)
    return EvalSet(users, rows.trim(tail=1), rows.last(1))


def _ranked(scorer: Scorer, run: Rebuilt, questions: EvalSet, had: Ragged | None = None) -> dict[str, float]:
    """had: what leaves the ranking beside the inputs, but for the one target of each row."""
    data = run.parts.datamodule
    make = Evaluation(questions, num_items=data.num_items, max_length=data.max_length)

    def batch_of(index: np.ndarray) -> EvalBatch:
        batch = make(index)
        if had is None:
            return batch
        rows = had.take(index)
        row_ids, items = torch.from_numpy(rows.row_ids()), torch.from_numpy(rows.flat().astype(np.int64))
        others = items != batch.targets[row_ids, 0]
        return batch._replace(seen_rows=row_ids[others], seen_items=items[others])

    lengths = np.minimum(questions.inputs.lengths, data.max_length)
    batches = map(batch_of, InOrder(lengths, batch_size=data.eval_batch_size))
    found = evaluate(scorer, batches, protocol=FullRanking(), metrics=RankingMetrics(cutoffs=(10,)))
    return {name: found.summary[name] for name in SHOWN}


def sides_table(before: Sides, after: Sides) -> Table:
    """A line for each side and metric."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("side", "metric", "before", "after"):
        table.add_column(name, justify="left" if name in ("side", "metric") else "right")
    for side, title in NAMES.items():
        for metric, value in getattr(before, side).items():
            table.add_row(title, metric, f"{value:.4f}", f"{getattr(after, side)[metric]:.4f}")
    return table
