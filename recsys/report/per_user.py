"""Each user's own metrics, read back and averaged over seeds."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys.report.runs import Run

FILE = "per_user.parquet"
_IDS = ("integer", "string", "empty")  # kinds of user ids, as pandas infers them; a mixture can't be sorted
SPREAD = 1e-4  # how far the mean of the file may lie from the run's record, which was summed in another order


def read_per_user(run: Run, *, metric: str) -> pd.Series:
    """The metric of every user, by user; in the run's own order. ValueError, in one sentence, where it can't be had."""
    file = run.path / FILE
    left_out = "the run is left out of the paired tests; run it again with force=true"
    if not file.exists():
        raise ValueError(f"{file} is missing: {left_out}.")
    try:
        frame = pd.read_parquet(file)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ValueError(f"{file} can't be read ({_first_line(error)}): {left_out}.") from error
    for column in ("user", metric):
        if column not in frame:
            raise ValueError(f"{file} has no column {column}: {left_out}.")
    if not pd.api.types.is_numeric_dtype(frame[metric]) or not pd.api.types.infer_dtype(frame["user"]).startswith(_IDS):
        raise ValueError(f"{file} has users or values of {metric} of a wrong type: {left_out}.")
    values = pd.Series(frame[metric].to_numpy(), index=frame["user"].to_numpy(), dtype=np.float64)
    if not values.index.is_unique or not np.isfinite(values).all() or values.empty:
        raise ValueError(f"{file} has users twice, or values of {metric} that are missing: {left_out}.")
    return values


def trusted(runs: Iterable[Run]) -> tuple[list[Run], list[str]]:
    """The runs whose record says what their values per user say, and a sentence for each other."""
    kept, problems = [], []
    for run in runs:
        problem = contradiction(run)
        if problem is None:
            kept.append(run)
        else:
            problems.append(problem)
    return kept, problems


def contradiction(run: Run) -> str | None:
    """The first metric of which run.json has another mean than the values per user; None without, or without values."""
    file = run.path / FILE
    try:
        means = pd.read_parquet(file).select_dtypes("number").mean().to_dict()
    except (OSError, ValueError, pa.ArrowException):
        return None  # said where the values are needed
    return differing_mean(means, run.metrics, file=file, record=run.path / "run.json", prefix="test/")


def differing_mean(
    means: Mapping[Any, float], recorded: Mapping[str, float], *, file: Path, record: Path, prefix: str
) -> str | None:
    """A sentence for the first mean of the file that is not the record's metric of that name; None without."""
    for name, mean in means.items():
        said = recorded.get(f"{prefix}{name}")
        if said is not None and abs(mean - said) > SPREAD:
            return (
                f"{file} has a mean {name} of {mean:.4f}, {record.name} says {said:.4f}: they are not of one run, "
                "which is left out; run it again with force=true."
            )
    return None


def mean_per_user(runs: Iterable[Run], *, metric: str) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Name -> users by seeds, of runs that may be compared, and one sentence for each run that has to be left out.

    Runs on other users than most are left out too: values of different people can't be paired.
    """
    problems: list[str] = []
    read: list[tuple[Run, pd.Series]] = []
    for run in runs:
        try:
            read.append((run, read_per_user(run, metric=metric).sort_index()))
        except ValueError as problem:
            problems.append(str(problem))
    usual = _most_frequent([values.index for _, values in read])
    columns: dict[str, dict[int, pd.Series]] = {}
    for run, values in read:
        if values.index.equals(usual):
            columns.setdefault(run.name, {})[run.seed] = values
        else:
            problems.append(
                f"{run.path / FILE} is of other users ({len(values):,}) than most runs ({len(usual):,}): the run is "
                "left out of the paired tests."
            )
    return {name: pd.DataFrame(seeds) for name, seeds in columns.items()}, problems


def _most_frequent(indices: list[pd.Index]) -> pd.Index:
    if not indices:
        return pd.Index([])
    return max(indices, key=lambda index: sum(index.equals(other) for other in indices))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
