"""Finished runs, read back from their directories."""

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
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
    peak_memory_gb: GiB, None where it wasn't measured. best_epoch, epochs: None for a model without epochs.
    environment: versions, machine and commit; audit: the split in words under `split`, and counts of what leaks; init:
    `source` and `sha256` of the checkpoint that it started from; each empty where the record has none.
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
    environment: dict[str, Any] = field(default_factory=dict)
    audit: dict[str, Any] = field(default_factory=dict)
    init: dict[str, Any] = field(default_factory=dict)

    @property
    def ranks_nothing(self) -> bool:
        """Whether it is a pre-training, which has losses alone."""
        return not any(name.startswith("test/") for name in self.metrics)

    @property
    def as_start(self) -> str:
        """The overrides by which another run starts from it, quoted for the shell and for Hydra."""
        return f"init=pretrained 'init.source=\"{self.path}\"'"

    @property
    def is_refit(self) -> bool:
        """Whether `recsys refit` made it: it has been trained on what other runs are asked."""
        return bool(self.config.get("refit"))


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
    """The run in `directory`. FileNotFoundError without it or its run.json, ValueError where that is broken."""
    if not directory.is_dir():
        raise FileNotFoundError(f"{directory} has no run.json: there is no such folder; {_what_is_there(directory)}")
    file = directory / "run.json"
    if not file.exists():
        below = next(iter(sorted(directory.glob("*/**/run.json"))), None)
        if below is not None:
            raise FileNotFoundError(
                f"{directory} has no run.json: runs lie further down; give one of them, such as {below.parent}"
            )
        raise FileNotFoundError(
            f"{directory} has no run.json: the run is still going or died; wait for it, or start it again."
        )
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        _check(record)
        facts: dict[str, Any] = {key: record[key] for key in _TYPES}
        facts["status"] = RunStatus(facts["status"])
    except ValueError as error:  # broken JSON and broken UTF-8 are ValueErrors, and say where
        raise ValueError(f"{file} is not the record of a run ({error}); start that run again.") from error
    for key in ("environment", "audit", "init"):
        facts[key] = value if isinstance(value := record.get(key), dict) else {}
    return Run(path=directory, **facts)


def _what_is_there(directory: Path) -> str:
    """At the first step of the path that leads nowhere, the names most like it."""
    *_, missing = (step for step in (directory, *directory.parents) if not step.is_dir())
    if missing.exists():
        return f"give the folder that {missing} lies in"
    there = sorted(path.name for path in missing.parent.iterdir() if path.is_dir() and path.name[:1] != ".")
    near = get_close_matches(missing.name, there, n=3, cutoff=0.4)
    if near:
        return f"did you mean {' or '.join(str(missing.parent / name) for name in near)}?"
    return f"{missing.parent.resolve()} has {', '.join(there[:8]) or 'no folders'}{', ...' * (len(there) > 8)}"


def load_runs(root: Path) -> tuple[list[Run], list[str]]:
    """Every run below `root`, in the order of their paths, and one sentence for each that can't be read.

    A directory with epochs logged but no run.json is a run that has not ended, and is such a problem too. Refits are
    passed over: nothing is known of how good they are.
    FileNotFoundError where `root` is not a directory.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is not a directory; give one with runs, such as outputs/scratch.")
    started = {file.parent for name in ("run.json", "metrics.csv") for file in root.rglob(name)}
    runs, problems = [], []
    for directory in sorted(started):
        try:
            runs.append(load_run(directory))
        except (ValueError, OSError) as problem:
            problems.append(str(problem))
    return [run for run in runs if not run.is_refit], problems


def _check(record: Any) -> None:
    """ValueError that names the first key that is missing or of another type than `Run` says."""
    if not isinstance(record, dict):
        raise ValueError(f"it must hold one JSON object, got {type(record).__name__}")
    for key, types in _TYPES.items():
        if key not in record:
            raise ValueError(f"the key {key} is missing")
        _check_type(key, record[key], types)
    for key, value in record["fingerprints"].items():
        _check_type(f"fingerprints.{key}", value, (str,))
    for name, metrics in record["baselines"].items():
        _check_type(f"baselines.{name}", metrics, (dict,))
    numbers = {key: record[key] for key in ("seconds", "metrics")} | record["baselines"]
    for group, values in numbers.items():
        for key, value in values.items():
            _check_type(f"{group}.{key}", value, (int, float))


def _check_type(key: str, value: Any, types: tuple[type, ...]) -> None:
    if not isinstance(value, types):
        expected = " or ".join("null" if kind is type(None) else kind.__name__ for kind in types)
        raise ValueError(f"{key} must be {expected}, got {value!r}")
