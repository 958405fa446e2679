"""What the charts of one block of a study draw, as plain lists and dictionaries."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from recsys.report.aggregation import STD
from recsys.report.asked import Asked
from recsys.report.critical_difference import critical_difference
from recsys.report.errors import agreement, missed_by_all, missed_items
from recsys.report.failures import failures
from recsys.report.histories import history
from recsys.report.leaderboard import Block, every_pair, histogram
from recsys.report.runs import Run
from recsys.report.strata import Stratum, by_history, by_popularity
from recsys.report.study import Study
from recsys.report.variants import ABSENT, differing_keys, flat_config

MOST_PAIRED = 24  # models that can be paired in the page: 276 pairs
BINS = 10  # on either side of a tie
COST_NAMES = {
    "seconds": "seconds to fit",
    "memory": "peak memory, GiB",
    "parameters": "parameters",
    "validation": "validation",
}


def curves(block: Block, runs: Sequence[Run], *, running: Sequence[Path], root: Path) -> list[dict[str, Any]]:
    """A history per run, the best model's first, then those of runs that are still going."""
    order = {name: place for place, name in enumerate(block.names)}
    named = [(run.path, run.name, f"{run.name}, seed {run.seed}") for run in runs if run.name in order]
    named.sort(key=lambda entry: order[entry[1]])
    named += [(path, f"{path.relative_to(root)} (not finished)", str(path.relative_to(root))) for path in running]
    found = [(name, label, history(path, metric=block.metric)) for path, name, label in named]
    return [{"model": name, "label": label, **columns} for name, label, columns in found if columns]


def points(block: Block, runs: Sequence[Run]) -> dict[str, Any]:
    """Models as points: their test metric, and all that it can be drawn against; deviations for whiskers."""
    own = pd.DataFrame([{"name": run.name, "parameters": run.num_parameters, **run.metrics} for run in runs])
    means: Any = own.groupby("name").mean()
    coverage = [name for name in own if name.startswith("test/") and "coverage" in name]
    rows = []
    for row in block.table.to_dict("records"):
        facts = {"seconds": row["seconds"], "memory": row["memory"]}
        if row["name"] in means.index:
            recorded = means.loc[row["name"]]
            facts |= {"parameters": recorded["parameters"], "validation": recorded.get(f"val/{block.metric}", math.nan)}
            facts |= {name: recorded[name] for name in coverage}
        y, spread = row[f"test/{block.metric}"], row.get(f"test/{block.metric}{STD}", math.nan)
        rows.append({"model": row["name"], "y": y, "spread": spread, **facts})
    axes = COST_NAMES | {name: name.removeprefix("test/") for name in coverage}
    axes["validation"] = f"validation {block.metric}"
    known = {key: label for key, label in axes.items() if any(not math.isnan(row.get(key, math.nan)) for row in rows)}
    return {"rows": rows, "axes": known, "coverage": bool(coverage)}


def pairs(block: Block) -> dict[str, Any]:
    """For every two models: the histogram of the users' differences, better model first, and its tests."""
    means = dict(list(block.means.items())[:MOST_PAIRED])
    if len(means) < 2:
        return {"models": [], "rows": []}
    frame = pd.DataFrame(means)
    top = float((frame.max(axis=1) - frame.min(axis=1)).max()) or 1.0
    place = {name: number for number, name in enumerate(means)}
    rows = []
    for (one, other), (compared, corrected) in every_pair(means, block.versus).items():
        counts = histogram((frame[one] - frame[other]).to_numpy(), top=top, bins=BINS)
        rows.append({"a": place[one], "b": place[other], "counts": counts, "holm": corrected, **compared._asdict()})
    return {"models": list(means), "top": top, "bins": BINS, "rows": rows, "left_out": len(block.names) - len(means)}


def strata(block: Block, asked: Asked | None) -> list[dict[str, Any]]:
    """Tables of strata; empty where the data isn't at hand."""
    if asked is None or not block.means:
        return []
    kinds = {
        "by length of the user's history": by_history(asked.facts, block.means),
        "by how often training has the item that was chosen": by_popularity(asked.facts, block.means),
    }
    return [{"title": title, "strata": rows, "rows": _shaded(rows)} for title, rows in kinds.items() if rows]


def _shaded(rows: Sequence[Stratum]) -> list[dict[str, Any]]:
    """A line per model: the values, each as a share of the best in its stratum for the cell's shade."""
    tops = [max(row.means.values()) for row in rows]
    return [
        {
            "model": name,
            "cells": [
                {
                    "value": row.means[name],
                    "share": row.means[name] / top if top > 0 else 0.0,
                    "best": row.means[name] == top,
                }
                for row, top in zip(rows, tops, strict=True)
            ],
        }
        for name in rows[0].means
    ]


def faults(block: Block, runs: Sequence[Run], asked: Asked | None) -> dict[str, Any]:
    """Users and items that are missed, and how far validation agrees with test."""
    own: Any = pd.DataFrame([{"name": run.name, **run.metrics} for run in runs]).groupby("name").mean()
    validation = own.get(f"val/{block.metric}", pd.Series(dtype=float)).dropna().to_dict()
    test = {
        name: value for name, value in block.table[["name", f"test/{block.metric}"]].to_numpy() if name in own.index
    }
    agreed = agreement({str(k): float(v) for k, v in validation.items()}, test)
    found: dict[str, Any] = {"agreement": agreed, "missed": None, "items": [], "worst": {}, "lacking": []}
    if not block.means:
        return found
    found["missed"] = float(missed_by_all(block.means).mean())
    found["worst"], found["lacking"] = failures(block, runs, asked)
    if asked is not None:
        items = missed_items(asked.facts, block.means)
        found["items"] = items.assign(name=items["item"].map(asked.name)).to_dict("records")
    return found


def config_table(block: Block, runs: Sequence[Run]) -> dict[str, Any]:
    """Keys at which the models' configs differ, a column per model."""
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.name, run)
    configs: Mapping[str, dict[str, Any]] = {name: flat_config(first[name]) for name in block.names if name in first}
    keys = differing_keys(list(configs.values()))
    rows = [(key, [str(config.get(key, ABSENT)) for config in configs.values()]) for key in sorted(keys)]
    return {"models": list(configs), "rows": rows}


def diagram(study: Study) -> dict[str, Any] | None:
    """The critical-difference diagram over the data sets; None for too few of them, or too few models on all."""
    data = [block.data for block in study.blocks]
    columns = {
        block.data: block.table.set_index("name")[f"test/{study.metric}"]
        for block in study.blocks
        if data.count(block.data) == 1  # two splits of one data set are not two data sets
    }
    scores = pd.DataFrame(columns).T.dropna(axis=1)
    if len(scores) < 2 or scores.shape[1] < 3:
        return None
    return critical_difference(scores)._asdict()
