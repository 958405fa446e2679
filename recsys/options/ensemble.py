"""What `recsys ensemble` and `recsys folds` are told: runs, and `key=value`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

HOW = ("soft", "rank", "hard")  # see recsys.evaluation.fusion.POINTS
FITTED: dict[str, bool] = {"equal": False, "validation": True}

USAGE = """usage: recsys ensemble RUN RUN ... [key=value ...]        or runs=RUN,RUN,...

  how=soft          soft: mean of scores, each member's from 0 to 1; rank: reciprocal ranks; hard: votes of the ten best
  weights=equal     or validation: chosen greedily by the metric that chose the members' best epochs
  k=100             items of each user that a member has a say in
  study=, name=     where the result stands: outputs/STUDY/DATA/NAME/seed0; the first member's study, ensemble-HOW
  note=, force=true, ledger=, data.KEY=...    as of recsys train

Members must be runs on the same data, split and protocol. Their top lists are kept beside them."""


@dataclass(frozen=True, kw_only=True)
class EnsembleOptions:
    """See USAGE. overrides: of keys of `data`."""

    runs: tuple[Path, ...]
    how: str
    weights: str
    k: int
    study: str | None
    name: str | None
    note: str | None
    force: bool
    ledger: str | None
    overrides: tuple[str, ...]

    @property
    def is_fitted(self) -> bool:
        return FITTED[self.weights]


DEFAULTS: dict[str, Any] = {
    "how": "soft",
    "weights": "equal",
    "k": "100",
    "study": None,
    "name": None,
    "note": None,
    "force": "false",
    "ledger": "outputs/ledger.csv",
}


def parse(argv: Sequence[str]) -> EnsembleOptions:
    """ValueError for an unknown key, a value that isn't one, or fewer than two runs."""
    runs, given, overrides = split_arguments(argv, known=(*DEFAULTS, "runs"), verb="ensemble")
    runs += _runs(given.pop("runs", ""))
    if len(runs) < 2:
        raise ValueError(f"an ensemble takes two runs or more, got {len(runs)}; write recsys ensemble RUN RUN ...")
    if len(set(map(Path.resolve, runs))) < len(runs):
        raise ValueError("a run is named twice; weights=validation finds out which should count more")
    values = DEFAULTS | given
    for key, options in (("how", HOW), ("weights", FITTED)):
        if values[key] not in options:
            raise ValueError(f"{key} ({values[key]}) must be one of {', '.join(options)}")
    if not values["k"].isdecimal() or int(values["k"]) < 1:
        raise ValueError(f"k ({values['k']}) must be a whole number from 1 up")
    facts: dict[str, Any] = values | {"k": int(values["k"]), "force": flag("force", values["force"])}
    facts["ledger"] = None if facts["ledger"] in ("", "null") else facts["ledger"]
    return EnsembleOptions(runs=tuple(runs), overrides=tuple(overrides), **facts)


def split_arguments(
    argv: Sequence[str], *, known: Sequence[str], verb: str
) -> tuple[list[Path], dict[str, str], list[str]]:
    """Directories of runs, `key=value` of the keys known, and overrides of `data`."""
    runs = [Path(word) for word in argv if Path(word).is_dir() or "=" not in word]
    words = [word for word in argv if Path(word) not in runs]
    overrides = [word for word in words if word.startswith("data.")]
    given = {key: value for key, _, value in (word.partition("=") for word in words if word not in overrides)}
    for key in given:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"its keys are {', '.join(known)}"
            raise ValueError(f"{key}: unknown key of {verb}; {advice}")
    return runs, given, overrides


def flag(key: str, value: str) -> bool:
    """ValueError where it is neither true nor false."""
    flags: Mapping[str, bool] = {"true": True, "false": False}
    if value.lower() not in flags:
        raise ValueError(f"{key} ({value}) must be true or false")
    return flags[value.lower()]


def _runs(text: str) -> Iterator[Path]:
    """Directories between commas; their own names may hold commas too, so each is known by being there."""
    pieces = text.split(",") if text else []
    while pieces:
        for size in range(1, len(pieces) + 1):
            path = Path(",".join(pieces[:size]))
            if path.is_dir():
                yield path
                pieces = pieces[size:]
                break
        else:
            raise ValueError(f"runs: {pieces[0]} is no directory of a run")
