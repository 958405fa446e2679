"""What `recsys folds` is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.options.ensemble import flag, split_arguments

USAGE = """usage: recsys folds RUN RUN ... [key=value ...]

  RUN               one run of each fold, alike but for split.fold
  k=100             items of each list that is kept
  bag=false         true: also the lists of all users, given all they have, by all folds' models together
  study=, name=     where the result stands: outputs/STUDY/DATA/NAME/seedK; the runs' study, their name and `,folds`
  note=, force=true, ledger=, data.KEY=...    as of recsys train"""


@dataclass(frozen=True, kw_only=True)
class FoldsOptions:
    """See USAGE. overrides: of keys of `data`."""

    runs: tuple[Path, ...]
    k: int
    bag: bool
    study: str | None
    name: str | None
    note: str | None
    force: bool
    ledger: str | None
    overrides: tuple[str, ...]


DEFAULTS: dict[str, Any] = {
    "k": "100",
    "bag": "false",
    "study": None,
    "name": None,
    "note": None,
    "force": "false",
    "ledger": "outputs/ledger.csv",
}


def parse(argv: Sequence[str]) -> FoldsOptions:
    """ValueError for an unknown key, a value that isn't one, or fewer than two runs."""
    runs, given, overrides = split_arguments(argv, known=tuple(DEFAULTS), verb="folds")
    if len(runs) < 2:
        raise ValueError(f"folds takes a run of each fold, got {len(runs)}; write recsys folds RUN RUN ...")
    values = DEFAULTS | given
    if not values["k"].isdecimal() or int(values["k"]) < 1:
        raise ValueError(f"k ({values['k']}) must be a whole number from 1 up")
    facts: dict[str, Any] = values | {
        "k": int(values["k"]),
        "force": flag("force", values["force"]),
        "bag": flag("bag", values["bag"]),
    }
    facts["ledger"] = None if facts["ledger"] in ("", "null") else facts["ledger"]
    return FoldsOptions(runs=tuple(runs), overrides=tuple(overrides), **facts)
