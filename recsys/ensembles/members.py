"""The runs that an ensemble is made of: how they agree."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from rich import box
from rich.table import Table
from rich.text import Text

from recsys.evaluation.fusion import TopLists
from recsys.report.runs import Run

SHOWN = 10  # items of a list whose overlap is counted


class Pair(NamedTuple):
    """Two members. overlap: share of their ten best that both have, a mean over users. correlation: of the metric by
    user (Pearson); NaN where one of them has the same for all.
    """

    first: int
    second: int
    overlap: float
    correlation: float


def pairs(lists: Sequence[TopLists], per_user: Sequence[np.ndarray]) -> list[Pair]:
    """Each two members, on the same users. per_user: the metric of each member, in the order of the lists' users."""
    found = []
    for first, second in combinations(range(len(lists)), 2):
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = float(np.corrcoef(per_user[first], per_user[second])[0, 1])
        found.append(Pair(first, second, _overlap(lists[first].items, lists[second].items), correlation))
    return found


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one[:, :SHOWN], other[:, :SHOWN]
    shared = ((one[:, :, None] == other[:, None, :]) & (one >= 0)[:, :, None]).any(2).sum(1)  # [U]
    return float((shared / np.maximum((one >= 0).sum(1), 1)).mean())


def members_table(runs: Sequence[Run], *, weights: Sequence[float], values: Sequence[float], metric: str) -> Table:
    """A line per member: weight, what it is worth on validation through the lists, and its own test."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, title="members")
    table.add_column("")
    table.add_column("run", overflow="fold")
    tested = metric.replace("val/", "test/", 1)
    for name in ("seed", "weight", metric, tested):
        table.add_column(name, justify="right", no_wrap=True)
    for number, (run, weight, value) in enumerate(zip(runs, weights, values, strict=True)):
        table.add_row(
            letter(number), Text(run.name), str(run.seed), f"{weight:.2f}", f"{value:.4f}", f"{run.metrics[tested]:.4f}"
        )
    return table


def pairs_table(found: Sequence[Pair], *, metric: str) -> Table:
    """A line per pair."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for name in ("pair", f"overlap@{SHOWN}", f"correlation of {metric}"):
        table.add_column(name, justify="left" if name == "pair" else "right")
    for pair in found:
        names = f"{letter(pair.first)}, {letter(pair.second)}"
        table.add_row(names, f"{pair.overlap:.2f}", f"{pair.correlation:.2f}")
    return table


def letter(number: int) -> str:
    """A, B, ..., Z, A1, ..."""
    return chr(ord("A") + number % 26) + (str(number // 26) if number >= 26 else "")


def record_of(runs: Sequence[Run], *, weights: Sequence[float], values: Sequence[float], metric: str) -> list[Any]:
    """What an ensemble's record says of its members."""
    return [
        {"run": str(run.path), "name": run.name, "seed": run.seed, "weight": weight, metric: value}
        for run, weight, value in zip(runs, weights, values, strict=True)
    ]
