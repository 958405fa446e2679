"""What a refit does to both sides: the rows that were trained on and those that were held out."""

from typing import NamedTuple

import numpy as np
from rich import box
from rich.table import Table

from recsys.data.collators import Evaluation
from recsys.data.datamodule import InOrder
from recsys.data.splits import EvalSet, Split
from recsys.evaluation import FullRanking, Scorer, evaluate
from recsys.metrics.ranking import RankingMetrics
from recsys.runs.rebuilding import Rebuilt

SHOWN = ("ndcg@10", "hr@10")
NAMES = {"train": "training: each user's last trained item", "held_out": "held out: the test questions"}


class Sides(NamedTuple):
    """Metric -> mean over users, of full ranking with seen items removed."""

    train: dict[str, float]
    held_out: dict[str, float]


def measure(scorer: Scorer, run: Rebuilt) -> Sides:
    """The questions are the run's own, whatever the scorer was trained on."""
    return Sides(
        *(_ranked(scorer, run, questions) for questions in (training_side(run.data.split), run.data.split.test))
    )


def training_side(split: Split) -> EvalSet:
    """The last training item of each user who has two, asked for given those before it."""
    users = np.flatnonzero(split.train.lengths >= 2)
    rows = split.train.take(users)
    return EvalSet(users, rows.trim(tail=1), rows.last(1))


def _ranked(scorer: Scorer, run: Rebuilt, questions: EvalSet) -> dict[str, float]:
    data = run.parts.datamodule
    make = Evaluation(questions, num_items=data.num_items, max_length=data.max_length)
    lengths = np.minimum(questions.inputs.lengths, data.max_length)
    batches = map(make, InOrder(lengths, batch_size=data.eval_batch_size))
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
