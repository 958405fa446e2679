"""Finished runs, read back from their directories."""

import json
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any


class RunStatus(Enum):
    """How a run ended: by itself, or by Ctrl-C with the best epoch so far kept and tested."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What `run.json` in the directory `path` says; metrics are named `val/ndcg@10`, `test/ndcg@10`.

    fingerprints: what must be the same for two results to be comparable (data, split, protocol) -> its value.
    seconds: phase -> duration. baselines: name -> metrics on the same split and protocol.
    best_epoch, epochs, peak_memory_gb: None where the model has no epochs or the peak wasn't measured.
    """

    path: Path
    status: RunStatus
    name: str
    data: str
    seed: int
    config: dict[str, Any]
    fingerprints: dict[str, str]
    num_parameters: int
    seconds: dict[str, float]
    peak_memory_gb: float | None
    best_epoch: int | None
    epochs: int | None
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]


_TYPES: dict[str, tuple[type, ...]] = {
    "status": (str,),
    "name": (str,),
    "data": (str,),
    "seed": (int,),
    "config": (dict,),
    "fingerprints": (dict,),
    "num_parameters": (int,),
    "seconds": (dict,),
    "peak_memory_gb": (int, float, type(None)),
    "best_epoch": (int, type(None)),
    "epochs": (int, type(None)),
    "metrics": (dict,),
    "baselines": (dict,),
}


def load_run(directory: Path) -> Run:
    """The run in `directory`. FileNotFoundError without a run.json, ValueError where it is broken."""
    file = directory / "run.json"
    if not file.exists():
        raise FileNotFoundError(
            f"{directory} has no run.json: the run is still going or died; wait for it, or start it again."
        )
    record = _read(file)
    for key, types in _TYPES.items():
        if key not in record:
            raise ValueError(f"{file} lacks the key {key}; start the run again to have it written anew.")
        if not isinstance(record[key], types):
            expected = " or ".join(kind.__name__ for kind in types)
            raise ValueError(f"{file}: {key} must be {expected}, got {record[key]!r}; start the run again.")
    for key, values in _groups_of_numbers(record):
        _check_numbers(file, key, values)
    return Run(path=directory, status=_status(file, record["status"]), **_own_fields(record))


def load_runs(root: Path) -> tuple[list[Run], list[str]]:
    """Every run below `root`, in the order of their paths, and one sentence for each that can't be read.

    A directory with epochs logged but no run.json is a run that has not ended, and is such a problem too.
    FileNotFoundError where `root` is not a directory.
    """
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root} is not a directory; give one that holds runs, such as outputs/scratch."
        )
    started = {file.parent for name in ("run.json", "metrics.csv") for file in root.rglob(name)}
    runs, problems = [], []
    for directory in sorted(started):
        try:
            runs.append(load_run(directory))
        except (ValueError, OSError) as problem:
            problems.append(str(problem))
    return runs, problems


def _read(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{file} is not whole JSON (line {error.lineno}, column {error.colno}: {error.msg}); "
            "start the run again to have it written anew."
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not text (byte {error.start}); start the run again.") from error
    if not isinstance(record, dict):
        raise ValueError(
            f"{file} must hold one JSON object, got {type(record).__name__}; start the run again."
        )
    return record


def _groups_of_numbers(record: dict[str, Any]) -> list[tuple[str, Any]]:
    baselines = [(f"baselines.{name}", values) for name, values in record["baselines"].items()]
    return [("seconds", record["seconds"]), ("metrics", record["metrics"]), *baselines]


def _check_numbers(file: Path, key: str, values: Any) -> None:
    if not isinstance(values, dict) or not all(isinstance(value, int | float) for value in values.values()):
        raise ValueError(f"{file}: {key} must map names to numbers, got {values!r}; start the run again.")


def _status(file: Path, value: str) -> RunStatus:
    try:
        return RunStatus(value)
    except ValueError as error:
        known = ", ".join(status.value for status in RunStatus)
        raise ValueError(
            f"{file}: status must be one of {known}, got {value!r}; start the run again."
        ) from error


def _own_fields(record: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(Run)} - {"path", "status"}
    return {name: record[name] for name in names}
