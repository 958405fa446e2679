"""Runs of one name but different configs: told apart, for they must not be averaged."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recsys.report.runs import Run

ABSENT = "-"  # the value of a key that a config has not
_LONGEST = 70  # characters of a label before a digest takes over
# Keys that say where things lie, what is said of them or how much is done at a time, not what is computed; data and
# attributes are known by their fingerprints.
NOT_IDENTITY = (
    "force",
    "output_dir",
    "ledger",
    "logger",
    "note",
    "trainer.enable_progress_bar",
    "data.path",
    "data.locations",
    "data.cache_dir",
    "data.attributes",
    "data.titles",
    "data.card",
    "task.datamodule.eval_batch_size",
)
_LEFT_OUT = (*NOT_IDENTITY, "study", "name")  # which say where a run stands and what it is called


def told_apart(runs: Iterable[Run]) -> list[Run]:
    """The runs, in their order; those whose name stands for several configs renamed: `mf-bpr (lr=0.001)`.

    Seeds, and paths that differ from run to run, are no difference.
    """
    runs = list(runs)
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.data, run.name), []).append(run)
    labels = {key: _labels([_known_by(run) for run in group]) for key, group in groups.items()}
    named = {
        run.path: f"{run.name} ({label})" if label else run.name
        for key, group in groups.items()
        for run, label in zip(group, labels[key], strict=True)
    }
    return [replace(run, name=named[run.path]) for run in runs]


def flat_config(run: Run) -> dict[str, Any]:
    """Dotted key -> value of everything that tells what was computed, with the seed and the run's paths taken out."""
    flat = dict(_flatten(run.config))
    within = tuple(f"{key}." for key in _LEFT_OUT)
    kept = {key: value for key, value in flat.items() if key not in _LEFT_OUT and not key.startswith(within)}
    place = str(flat.get("output_dir") or run.path)
    return {
        key: _without_place(value, place, seed=run.seed)
        for key, value in kept.items()
        if key.rpartition(".")[2] not in ("seed",)
    }


def _known_by(run: Run) -> dict[str, Any]:
    """Its config, and the fingerprint of the attributes that it reads: their keys say where they lie."""
    return flat_config(run) | {"attributes": run.fingerprints.get("attributes", ABSENT)}


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keys whose values are not the same in all of the configs, in the order in which they come."""
    keys = dict.fromkeys(key for config in configs for key in config)
    return [key for key in keys if len({repr(config.get(key, ABSENT)) for config in configs}) > 1]


def _labels(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = differing_keys(configs)
    ends = [key.rpartition(".")[2] for key in keys]
    short = [end if ends.count(end) == 1 else key for key, end in zip(keys, ends, strict=True)]
    texts = [
        ", ".join(f"{name}={config.get(key, ABSENT)}" for name, key in zip(short, keys, strict=True))
        for config in configs
    ]
    return [text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... {_digest(text)}" for text in texts]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:4]  # labels that begin alike stay apart


def _flatten(value: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flatten(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _without_place(value: Any, place: str, *, seed: int) -> Any:
    """A path inside the run's own directory, or beside it under its seed, is the same in all of its seeds."""
    return value.replace(place, "RUN").replace(f"seed{seed}", "SEED") if isinstance(value, str) else value
