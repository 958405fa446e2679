"""One model under several protocols, side by side."""

import math
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from recsys.report.runs import Run

SHOWN = ("hr@1", "hr@5", "hr@10", "ndcg@5", "ndcg@10", "mrr@10")  # what fits into 80 columns; the file has all
TEST = "test/"


def evaluation_table(run: Run, record: Mapping[str, Any]) -> Table:
    """Per protocol a line for popularity and one for the model, on the test set; a column per metric.

    record: option -> {"label": ..., "metrics": ..., "baselines": {"pop": ...}}, names as in run.json. The
    label of a protocol is left out of the metrics' names, for its line says it.
    """
    table = Table(box=box.SIMPLE_HEAD, title=Text(f"{run.data}, test set, seed {run.seed}"))
    table.add_column("protocol, model", overflow="fold")
    for metric in SHOWN:
        table.add_column(metric, justify="right", no_wrap=True)
    for option, facts in record.items():
        table.add_row(Text(option, style="bold"))
        for name, metrics in _models(run, facts).items():
            values = _plain(metrics, label=facts["label"])
            table.add_row(f"  {name}", *(_number(values.get(metric, math.nan)) for metric in SHOWN))
        table.add_section()
    return table


def lists_table(run: Run, record: Mapping[str, Any], *, names: list[str]) -> Table:
    """A line per metric of the lists shown, of those protocols that have them; names: of the metrics of ranks."""
    having = {option: facts for option, facts in record.items() if _lists(facts, names)}
    table = Table(box=box.SIMPLE_HEAD, title=Text("of the lists, test set"))
    table.add_column("metric")
    columns = []
    for option, facts in having.items():
        for name, metrics in _models(run, facts).items():
            table.add_column(f"{option}\n{name}", justify="right")
            columns.append(_plain(metrics, label=facts["label"]))
    for metric in dict.fromkeys(key for facts in having.values() for key in _lists(facts, names)):
        table.add_row(metric, *(_number(column.get(metric, math.nan)) for column in columns))
    return table


def _models(run: Run, facts: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {**facts["baselines"], run.name.partition(",")[0]: facts["metrics"]}


def _lists(facts: Mapping[str, Any], names: list[str]) -> list[str]:
    return [key for key in _plain(facts["metrics"], label=facts["label"]) if key not in names]


def _plain(metrics: Mapping[str, float], *, label: str) -> dict[str, float]:
    """{"test/uniform_100/ndcg@10": x} -> {"ndcg@10": x}; validation left out."""
    test = {key.removeprefix(TEST): value for key, value in metrics.items() if key.startswith(TEST)}
    return {key.removeprefix(f"{label}/"): value for key, value in test.items()}


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"
