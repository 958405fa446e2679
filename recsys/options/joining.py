"""What the verbs that make one result of several runs are told alike."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.options.arguments import Arguments

DEFAULTS = {"k": "100", "study": "", "name": "", "note": "", "force": "false", "ledger": "outputs/ledger.csv"}


@dataclass(frozen=True, kw_only=True)
class JoiningOptions:
    """runs: to be joined. k: items of each list. overrides: of keys of `data`; the rest as of `recsys train`."""

    runs: tuple[Path, ...]
    k: int
    study: str | None
    name: str | None
    note: str | None
    force: bool
    ledger: str | None
    overrides: tuple[str, ...]


def fields_of(arguments: Arguments) -> dict[str, Any]:
    """The fields of `JoiningOptions` but `runs`. ValueError for a value that isn't one."""
    texts = {key: arguments.text(key) for key in ("study", "name", "note", "ledger")}
    return {
        **texts,
        "k": arguments.whole("k"),
        "force": arguments.flag("force"),
        "overrides": arguments.overrides,
    }
