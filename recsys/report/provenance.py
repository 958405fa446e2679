"""What results rest on, in plain words: data, split, protocol, code and machine."""

from collections.abc import Iterable, Sequence
from typing import Any

from recsys.data.audit import sentences_of
from recsys.report.runs import Run

_MEANING = {
    "data": "the interactions: every user, item and time, in order",
    "split": "which of them are training, validation and test",
    "protocol": "what is ranked, and how",
    "attributes": "what is known of the items",
}


def data_sentences(runs: Sequence[Run]) -> list[tuple[str, str, str]]:
    """(what, its values among the runs, what it means) of each fingerprint; hexadecimal ones cut to 12 digits."""
    keys = dict.fromkeys(key for run in runs for key in run.fingerprints)
    rows = [
        (
            key,
            "; ".join(dict.fromkeys(_short(run.fingerprints.get(key, "none")) for run in runs)),
            _MEANING.get(key, ""),
        )
        for key in keys
    ]
    kinds = dict.fromkeys(run.audit.get("split") or _kind(run.config.get("split")) for run in runs)
    rows.append(("split by", "; ".join(filter(None, kinds)) or "unknown", "how, and what orders equal timestamps"))
    leaks = dict.fromkeys(" ".join(sentences_of(run.audit)) for run in runs)
    return [*rows, ("leak audit", " / ".join(filter(None, leaks)) or "unknown", "what of the test training could know")]


def environments(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Distinct environments with the number of runs made in each; more than one is worth a look."""
    found: dict[str, dict[str, Any]] = {}
    for run in runs:
        facts = _flat(run.environment)
        entry = found.setdefault(repr(facts), {"facts": facts, "runs": 0})
        entry["runs"] += 1
    return sorted(found.values(), key=lambda entry: -entry["runs"])


def _flat(environment: dict[str, Any]) -> dict[str, str]:
    packages = environment.get("packages")
    versions = packages if isinstance(packages, dict) else {}
    facts = {key: value for key, value in environment.items() if key not in ("packages", "git")}
    commit = environment.get("git")
    code = str(commit or "unknown").replace("+changes", " with uncommitted changes")
    return {"code": code} | {str(key): str(value) for key, value in (facts | versions).items()}


def _short(value: str) -> str:
    words = value.split(" ")
    return " ".join(f"{word[:12]}…" if len(word) == 64 else word for word in words)


def _kind(config: Any) -> str:
    if not isinstance(config, dict):
        return ""
    rest = ", ".join(f"{key}={value}" for key, value in config.items() if not key.startswith("_"))
    return str(config.get("_target_", "")).rpartition(".")[2] + (f" ({rest})" if rest else "")
