"""`recsys refit`: a run's model trained on the held-out rows too, as it should be before a submission."""

from dataclasses import dataclass
from pathlib import Path

from recsys.options.arguments import parse

HOW = ("full", "swap")  # see recsys.refits.plans.PLANS

USAGE = """usage: recsys refit run=DIRECTORY how=full [key=value ...]

  how=full           anew, on everything: as many optimiser steps as the best epoch had taken, scaled by the data
  how=swap           on from the best epoch, with a loss on the held-out rows alone (the swap trick)
  epochs=N           how many; full: reckoned from the best epoch, swap: 2
  force=false        true: run again even where there is a finished refit
  note=TEXT          a remark for the ledger; the refit is the same with another
  data.KEY=...       where the data lies now: data.path=FILE
  trainer.KEY=...    of the Trainer: trainer.enable_progress_bar=false

The new run lies beside the other, DIRECTORY-full or DIRECTORY-swap; recommend reads it like any run."""


@dataclass(frozen=True, kw_only=True)
class RefitOptions:
    """See USAGE. epochs: None where none were given."""

    run: Path
    how: str
    epochs: int | None
    force: bool
    note: str | None
    overrides: tuple[str, ...]


def options_of(argv: list[str]) -> RefitOptions:
    """ValueError, in one sentence, for a wrong argument."""
    arguments = parse(
        argv,
        verb="refit",
        usage=USAGE,
        defaults={"epochs": "", "force": "false", "note": ""},
        required=["run", "how"],
        groups=["data", "trainer"],
    )
    given = arguments.given
    return RefitOptions(
        run=Path(given["run"]).expanduser(),
        how=arguments.one_of("how", HOW),
        epochs=arguments.whole("epochs") if given["epochs"] else None,
        force=arguments.flag("force"),
        note=arguments.text("note"),
        overrides=arguments.overrides,
    )
