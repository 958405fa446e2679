"""What `recsys evaluate` found of a run under other protocols, read back."""

import json
from dataclasses import replace
from typing import Any

from recsys.report.runs import Run

FILE = "evaluations.json"


def per_user_file(option: str) -> str:
    """Where the values per user of an option of the group eval lie, beside `FILE`."""
    return f"per_user_{option}.parquet"


def read_evaluations(run: Run) -> dict[str, dict[str, Any]]:
    """Option of the group eval -> protocol, label, metrics and baselines, as evaluations.json has them; empty without.

    ValueError where the file is broken, or of other data, another split or another epoch than the run.
    """
    file = run.path / FILE
    if not file.exists():
        return {}
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        found = {str(option): _checked(option, facts) for option, facts in record["evaluations"].items()}
        there = (record["best_epoch"], {key: record["fingerprints"].get(key) for key in ("data", "split")})
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"
        raise ValueError(f"{file} is broken ({reason}); delete it and run recsys evaluate again") from error
    if there != (run.best_epoch, {key: run.fingerprints.get(key) for key in ("data", "split")}):
        raise ValueError(
            f"{file} is of another run than {run.path / 'run.json'}; delete it and run recsys evaluate again"
        )
    return found


def with_evaluated(run: Run) -> Run:
    """The run with what `recsys evaluate` has found since under the run's own protocol, such as coverage."""
    try:
        evaluations = read_evaluations(run)
    except ValueError:
        return run  # said where protocols are compared
    found: dict[str, float] = {}
    for facts in evaluations.values():
        found |= facts["metrics"] if facts["protocol"] == run.fingerprints.get("protocol") else {}
    return replace(run, metrics=found | run.metrics)


def _checked(option: str, facts: Any) -> dict[str, Any]:
    """ValueError where a protocol is not described, or a metric is no number."""
    values = {"label": facts["label"], "protocol": facts["protocol"]}
    if not all(isinstance(value, str) for value in values.values()):
        raise ValueError(f"{option} has no label or protocol")
    for metrics in (facts["metrics"], *facts["baselines"].values()):
        for name, value in metrics.items():
            if not isinstance(value, int | float):
                raise ValueError(f"{option}, {name}: {value!r} is no number")
    return facts
