"""What `recsys tune` is told: how to search, and the overrides of `recsys train` that all trials share."""

from collections.abc import Sequence
from dataclasses import dataclass

USAGE = """usage: recsys tune [key=value ...] [any override of recsys train ...]

  search=sasrec     what to choose from: conf/search/NAME.yaml, or a YAML file of your own
  trials=20         how many runs in all; a search that was cut short, or is given more, continues
  jobs=1            trials side by side, one process each
  seeds=3           train the best trial with so many other seeds, in the study NAME-best; 0: don't
  prune=true        end trials early that validate worse than most did at the same epoch

What decides is `monitor`, a metric of the validation. study=NAME (tune) names the folder under outputs/."""

STUDY = "tune"
_FLAGS = {"true": True, "false": False}
_OWN = ("search", "trials", "jobs", "seeds", "prune")


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """See USAGE. overrides: of every trial."""

    search: str
    trials: int
    jobs: int
    seeds: int
    prune: bool
    overrides: tuple[str, ...]


def parse(argv: Sequence[str]) -> TuneOptions:
    """ValueError for a value that isn't one, or for a flag."""
    given, overrides = {}, []
    for word in argv:
        key, _, value = word.partition("=")
        if word.startswith("-"):
            raise ValueError(f"tune starts its trials itself: leave out {word}; jobs=2 runs two side by side")
        if key in _OWN:
            given[key] = value
        else:
            overrides.append(word)
    if not any(word.startswith("study=") for word in overrides):
        overrides.append(f"study={STUDY}")
    prune = given.get("prune", "true").lower()
    if prune not in _FLAGS:
        raise ValueError(f"prune ({prune}) must be true or false")
    return TuneOptions(
        search=given.get("search", "sasrec"),
        trials=_count("trials", given.get("trials", "20"), least=1),
        jobs=_count("jobs", given.get("jobs", "1"), least=1),
        seeds=_count("seeds", given.get("seeds", "3"), least=0),
        prune=_FLAGS[prune],
        overrides=tuple(overrides),
    )


def _count(key: str, value: str, *, least: int) -> int:
    if not value.isdecimal() or int(value) < least:
        raise ValueError(f"{key} ({value}) must be a whole number from {least} up")
    return int(value)
