"""Runs of a study -> one line per model and data set, over seeds."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pandas as pd

from recsys.report.runs import Run, RunStatus
from recsys.report.variants import told_apart

STD = " std"  # suffix of the column that holds a metric's deviation
_KEYS = ["data", "setting", "name"]
_COSTS = ["epochs", "seconds", "memory"]
_TEST = "test/"
_READ = "attributes"  # a fingerprint of what a model is told, which leaves what it is asked the same


def aggregate(runs: Iterable[Run], *, part: str = _TEST) -> pd.DataFrame:
    """Means over the seeds of each (data, setting, name); the rows of one (data, setting) may be compared.

    part: the metrics whose names begin so; `train/` are the losses of pre-trainings. Runs without any have no row.

    Results under different fingerprints are never averaged: the setting tells them apart, naming those that
    differ among the runs on the same data; it is empty where none do. Nor are runs of one name but different configs:
    their names then say what differs.
    Interrupted runs and seeds seen before are left out: `notes` names them.

    Columns: data, setting, name;
    seeds: number of runs; 0 for a baseline, which stands once per setting, before the models;
    `test/ndcg@10`, `test/ndcg@10 std`: mean and sample deviation (n - 1; NaN for one seed), each metric of the part;
    epochs, seconds, memory: means of the epochs run, of the time to fit and of the peak memory in GiB.
    """
    kept = [run for run in counted(runs) if any(name.startswith(part) for name in run.metrics)]
    records = pd.DataFrame(_records(kept, part=part))
    if records.empty:
        return pd.DataFrame(columns=[*_KEYS, "seeds", *_COSTS])
    metrics = [column for column in records if str(column).startswith(part)]
    groups = records.groupby(_KEYS, sort=False)
    table = pd.DataFrame(groups[metrics].agg(["mean", "std"]))
    table.columns = [name for metric in metrics for name in (metric, metric + STD)]
    table.insert(0, "seeds", groups["seed"].count())
    table[_COSTS] = groups[_COSTS].mean()
    table = table.reset_index()
    met = {setting: place for place, setting in enumerate(table["setting"].unique())}  # a hash is no order
    return table.sort_values(
        _KEYS[:2], key=lambda keys: keys.map(met) if keys.name == "setting" else keys, kind="stable", ignore_index=True
    )


def comparable(runs: Iterable[Run]) -> Iterator[tuple[pd.DataFrame, list[Run], str]]:
    """What may be compared, by data and setting: the rows of `aggregate`, their runs, and a heading in words."""
    kept = counted(runs)
    differences = differing(kept)
    for key, rows in aggregate(kept).groupby(_KEYS[:2], sort=False):
        own = [run for run in kept if (run.data, setting_of(run, differences)) == key]
        yield rows, own, heading_of(own, differences[own[0].data])


def every_run(runs: Iterable[Run]) -> pd.DataFrame:
    """One row per run, as it came: data, name, seed, status, what it took, all its metrics."""
    rows = [
        {
            "data": run.data,
            "name": run.name,
            "seed": run.seed,
            "status": run.status.value,
            "best_epoch": run.best_epoch,
            "epochs": run.epochs,
            "fit_seconds": round(run.seconds.get("fit", math.nan), 1),
            "fit_cpu_seconds": round(run.seconds.get("fit_cpu", math.nan), 1),
            "peak_memory_gb": run.peak_memory_gb,
            "num_parameters": run.num_parameters,
        }
        | run.metrics
        for run in runs
    ]
    return pd.DataFrame(rows)


def notes(runs: Iterable[Run]) -> list[str]:
    """What the averages leave out or keep apart, one sentence each; empty where there is nothing to say."""
    runs = list(runs)
    kept = counted(runs)
    paths = {run.path for run in kept}
    sentences = [] if kept else ["There is no finished run."]
    for run in runs:
        if run.status is not RunStatus.FINISHED:
            sentences.append(f"{run.path} was interrupted and is left out.")
        elif run.path not in paths:
            sentences.append(f"{run.path} repeats seed {run.seed} of {run.name} on {run.data} and is left out.")
    for data, keys in differing(kept).items():
        if keys:
            sentences.append(f"Runs on {data} differ in {', '.join(keys)}: they are kept apart, don't compare them.")
    return sentences


def counted(runs: Iterable[Run]) -> list[Run]:
    """Finished runs, the first of each seed, under names that tell their configs apart."""
    first: dict[tuple[Any, ...], Run] = {}
    for run in told_apart(run for run in runs if run.status is RunStatus.FINISHED):
        fingerprints = tuple(sorted(run.fingerprints.items()))
        first.setdefault((run.data, fingerprints, run.name, run.seed), run)
    return list(first.values())


def setting_of(run: Run, differing: dict[str, list[str]]) -> str:
    """What tells the run's results from others on the same data; empty where nothing does."""
    return ", ".join(f"{key} {run.fingerprints.get(key, 'unknown')}" for key in differing[run.data])


def heading_of(runs: Sequence[Run], keys: Sequence[str]) -> str:
    """The data of runs of one setting, and what tells that from others: in words where a run has them."""
    first = runs[0]
    words = [str(first.audit.get(key) or f"{key} {_cut(first.fingerprints.get(key, 'unknown'))}") for key in keys]
    return ": ".join([first.data, *(["; ".join(words)] if words else [])])


def _cut(fingerprint: str) -> str:
    return " ".join(word[:12] if len(word) == 64 else word for word in fingerprint.split(" "))


def differing(runs: Iterable[Run]) -> dict[str, list[str]]:
    """Data -> the fingerprints that make results on it answers to several questions: runs that rank differ in them."""
    found: dict[str, list[dict[str, str]]] = {}
    for run in runs:
        found.setdefault(run.data, []).extend([] if run.ranks_nothing else [run.fingerprints])
    return {
        data: [
            key for key in dict.fromkeys(chain(*prints)) if key != _READ and len({one.get(key) for one in prints}) > 1
        ]
        for data, prints in found.items()
    }


def _records(runs: Sequence[Run], *, part: str) -> list[dict[str, Any]]:
    """One row per baseline and setting, then one per run: keys, seed, what it took, metrics of the part."""
    differences = differing(runs)
    baselines, tested = {}, []
    blocks: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        blocks.setdefault((run.data, setting_of(run, differences)), []).append(run)
    for run in runs:
        setting = setting_of(run, differences)
        for name, metrics in run.baselines.items():
            if not any(_is(other, name, metrics) for other in blocks[run.data, setting]):
                baselines[run.data, setting, name] = _row((run.data, setting, name), metrics, part=part)
        costs = (run.epochs, run.seconds.get("fit"), run.peak_memory_gb)
        facts = {"seed": run.seed} | dict(zip(_COSTS, map(_number, costs), strict=True))
        tested.append(_row((run.data, setting, run.name), run.metrics, part=part) | facts)
    return [*baselines.values(), *tested]


def _is(run: Run, name: str, metrics: dict[str, float]) -> bool:
    """Whether the run is that baseline, which then stands in the table as a run."""
    return run.name == name or _row(("", "", ""), run.metrics) == _row(("", "", ""), metrics)


def _row(key: tuple[str, str, str], metrics: dict[str, float], *, part: str = _TEST) -> dict[str, Any]:
    shown = {name: value for name, value in metrics.items() if name.startswith(part)}
    return dict(zip(_KEYS, key, strict=True)) | shown


def _number(value: float | None) -> float:
    return math.nan if value is None else value
