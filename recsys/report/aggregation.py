"""Runs of a study -> one line per model and data set, over seeds."""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from recsys.report.runs import Run, RunStatus

STD = " std"  # suffix of the column that holds a metric's deviation
_KEYS = ["data", "setting", "name"]
_TEST = "test/"


def aggregate(runs: Iterable[Run]) -> pd.DataFrame:
    """Means over the seeds of each (data, setting, name); the rows of one (data, setting) may be compared.

    The setting is the run's fingerprints as text: results under different ones are never averaged.
    Interrupted runs and seeds seen before are left out: `notes` names them.

    Columns: data, setting, name;
    seeds: number of runs; 0 for a baseline, which stands once per setting, before the models;
    `test/ndcg@10`, `test/ndcg@10 std`: mean and sample deviation (n - 1; NaN for one seed), each test metric;
    epochs, seconds: means of the epochs run and of the time to fit.
    """
    records = pd.DataFrame(_records(_counted(runs)))
    if records.empty:
        return pd.DataFrame(columns=[*_KEYS, "seeds", "epochs", "seconds"])
    metrics = [column for column in records if str(column).startswith(_TEST)]
    groups = records.groupby(_KEYS, sort=False)
    table = pd.DataFrame(groups[metrics].agg(["mean", "std"]))
    table.columns = [name for metric in metrics for name in (metric, metric + STD)]
    table.insert(0, "seeds", groups["seed"].count())
    table[["epochs", "seconds"]] = groups[["epochs", "seconds"]].mean()
    return table.reset_index().sort_values(_KEYS[:2], kind="stable", ignore_index=True)


def notes(runs: Iterable[Run]) -> list[str]:
    """What the averages leave out or keep apart, one sentence each; empty where there is nothing to say."""
    runs = list(runs)
    interrupted = [run for run in runs if run.status is not RunStatus.FINISHED]
    sentences = [f"{run.path} was interrupted and is left out." for run in interrupted]
    counted = _counted(runs)
    repeated = [run for run in runs if run not in counted and run not in interrupted]
    sentences += [
        f"{run.path} repeats seed {run.seed} of {run.name} on {run.data} and is left out." for run in repeated
    ]
    for data in dict.fromkeys(run.data for run in counted):
        differing = _differing([run.fingerprints for run in counted if run.data == data])
        if differing:
            sentences.append(
                f"The runs on {data} are not comparable, so they are kept apart: they differ in {differing}."
            )
    return sentences


def _counted(runs: Iterable[Run]) -> list[Run]:
    """Finished runs, the first of each seed."""
    first: dict[tuple[Any, ...], Run] = {}
    for run in runs:
        if run.status is RunStatus.FINISHED:
            first.setdefault((run.data, _setting(run), run.name, run.seed), run)
    return list(first.values())


def _records(runs: Sequence[Run]) -> list[dict[str, Any]]:
    baselines = {
        (run.data, _setting(run), name): metrics for run in runs for name, metrics in run.baselines.items()
    }
    rows = [dict(zip(_KEYS, key, strict=True)) | _test_metrics(metrics) for key, metrics in baselines.items()]
    for run in runs:
        facts = {"seed": run.seed, "epochs": _number(run.epochs), "seconds": _number(run.seconds.get("fit"))}
        key = (run.data, _setting(run), run.name)
        rows.append(dict(zip(_KEYS, key, strict=True)) | facts | _test_metrics(run.metrics))
    return rows


def _test_metrics(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name.startswith(_TEST)}


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _setting(run: Run) -> str:
    return json.dumps(run.fingerprints, sort_keys=True)


def _differing(fingerprints: Sequence[dict[str, str]]) -> str:
    """The keys whose values are not all the same, with the values."""
    keys = dict.fromkeys(key for one in fingerprints for key in one)
    values = {key: list(dict.fromkeys(one.get(key, "none") for one in fingerprints)) for key in keys}
    return "; ".join(f"{key} ({', '.join(found)})" for key, found in values.items() if len(found) > 1)
