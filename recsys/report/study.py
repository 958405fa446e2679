"""A study: everything below one folder of runs, sorted into what may be compared."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import pandas as pd

from recsys.report.aggregation import comparable, counted, differing, notes, setting_of
from recsys.report.evaluations import with_evaluated
from recsys.report.leaderboard import Block, against_reference, corrected
from recsys.report.per_user import mean_per_user, trusted
from recsys.report.protocols import compare_orders, read_protocols
from recsys.report.runs import Run, load_runs

OTHERS = ("ndcg@10", "hr@10", "mrr@10")  # shown beside the chosen metric, where runs have them


@dataclass(frozen=True, kw_only=True)
class Study:
    """metric: what decides. runs: those that count, under the names of the tables. notes: what is left out or apart."""

    root: Path
    metric: str
    baseline: str | None
    runs: Sequence[Run]
    blocks: Sequence[Block]
    notes: Sequence[str]

    @property
    def shown(self) -> list[str]:
        """The metrics of the table, the deciding one first."""
        known = {name for run in self.runs for name in run.metrics}
        return list(dict.fromkeys([self.metric, *(name for name in OTHERS if f"test/{name}" in known)]))

    def runs_of(self, block: Block) -> list[Run]:
        """Its runs."""
        differences = differing(self.runs)
        return [run for run in self.runs if run.data == block.data and setting_of(run, differences) == block.setting]


def load_study(root: Path, *, metric: str, baseline: str | None = None) -> Study:
    """Reads every run below `root`; what can't be read is named in the notes and left out.

    FileNotFoundError where there is no such folder; ValueError where no run is finished, none has the metric, or none
    is called like the baseline.
    """
    found, problems = load_runs(root)
    finished = counted(found)
    runs = [with_evaluated(run) for run in finished if not run.ranks_nothing]
    if not runs:
        raise ValueError(f"{root} has no finished run that ranks; {_instead(finished, problems)}")
    _check_metric(runs, metric)
    _check_baseline(runs, baseline)
    sentences = [*problems, *notes(found)]
    sentences += [f"{run.path} ranks nothing (a pre-training) and has no line." for run in found if run.ranks_nothing]
    for leave_out in (trusted, partial(_with_metric, metric=metric)):
        runs, lacking = leave_out(runs)
        sentences += lacking
    if not runs:
        raise ValueError(f"{root} has no run that can be compared: {' '.join(sentences)}")
    blocks = []
    for rows, own, heading in comparable(runs):
        block, left_out = _block(rows, own, metric=metric, baseline=baseline)
        alike = heading in [block.heading for block in blocks]
        blocks.append(replace(block, heading=f"{heading} ({len(blocks) + 1})" if alike else heading))
        sentences += left_out
    tests = corrected([block.versus for block in blocks])
    blocks = [replace(block, versus=versus) for block, versus in zip(blocks, tests, strict=True)]
    return Study(root=root, metric=metric, baseline=baseline, runs=runs, blocks=blocks, notes=sentences)


def _instead(pretrainings: Sequence[Run], problems: Sequence[str]) -> str:
    """What is there where nothing ranks, and what to do."""
    if not pretrainings:
        return " ".join(problems) or "run recsys train first."
    count = len(pretrainings)
    there = f"its {count} finished {'run ranks' if count == 1 else 'runs rank'} nothing (pre-training)"
    return " ".join([f"{there}: start one from there, recsys train model=... {pretrainings[0].as_start}", *problems])


def _block(rows: pd.DataFrame, runs: Sequence[Run], *, metric: str, baseline: str | None) -> tuple[Block, list[str]]:
    """The block of these rows of `aggregate`, and what it leaves out."""
    per_user, left_out = mean_per_user(runs, metric=metric)
    column, data, names = f"test/{metric}", str(rows["data"].iloc[0]), {run.name for run in runs}
    table = rows.dropna(subset=[column]).sort_values(column, ascending=False, kind="stable")
    if baseline is not None and baseline not in per_user:
        why = "its values per user can't be had" if baseline in names else "it was not run there"
        left_out.append(f"Nothing is tested on {data} against {baseline}: {why}.")
    names_in_order = table["name"].to_list()
    versus = against_reference(names_in_order, per_user, baseline=baseline)
    if baseline is None and len(per_user) > 1 and names_in_order[0] not in per_user:
        left_out.append(f"Nothing is tested on {data}: {names_in_order[0]}, the best, has no values per user.")
    setting = str(rows["setting"].iloc[0])
    means = {name: per_user[name].mean(axis=1) for name in table["name"] if name in per_user}
    protocols, lacking = read_protocols(runs, means, metric=metric)
    block = Block(
        data=data,
        setting=setting,
        heading=data,
        metric=metric,
        table=table,
        per_user=per_user,
        versus=versus,
        protocols=protocols if len(protocols) > 1 else [],
        orders=compare_orders(protocols),
    )
    return block, [*left_out, *lacking]


def _with_metric(runs: Sequence[Run], *, metric: str) -> tuple[list[Run], list[str]]:
    """The runs that have a finite value of it, and a sentence for each other: a mean would skip it in silence."""
    column = f"test/{metric}"
    kept = [run for run in runs if math.isfinite(run.metrics.get(column, math.nan))]
    paths = {run.path for run in kept}
    return kept, [f"{run.path} has no finite {column} and is left out." for run in runs if run.path not in paths]


def _check_metric(runs: Sequence[Run], metric: str) -> None:
    known = dict.fromkeys(
        name[5:]
        for run in runs
        for name in run.metrics
        if name.startswith("test/") and math.isfinite(run.metrics[name])
    )
    if metric not in known:
        labelled = [name for name in known if name.endswith(f"/{metric}")]
        near = labelled or get_close_matches(metric, known, n=1)
        advice = f"did you mean {near[0]}?" if near else f"they have {', '.join(known)}"
        raise ValueError(f"metric ({metric}) is in no run's test results; {advice}")


def _check_baseline(runs: Sequence[Run], baseline: str | None) -> None:
    names = dict.fromkeys(run.name for run in runs)
    if baseline is not None and baseline not in names:
        raise ValueError(f"baseline ({baseline}) must be the name of a run in the study; they are: {'; '.join(names)}")
