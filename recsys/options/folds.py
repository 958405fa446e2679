"""What `recsys folds` is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.options import joining
from recsys.options.arguments import parse
from recsys.options.joining import JoiningOptions

USAGE = """usage: recsys folds RUN RUN ... [key=value ...]

  RUN               one run of each fold, alike but for split.fold
  k=100             items of each list that is kept
  bag=false         true: also the lists of all users, given all they have, by all folds' models together
  study=, name=     where the result stands: outputs/STUDY/DATA/NAME/seedK; the runs' study, their name and `,folds`
  note=, force=true, ledger=, data.KEY=...    as of recsys train"""


@dataclass(frozen=True, kw_only=True)
class FoldsOptions(JoiningOptions):
    """See USAGE."""

    bag: bool


DEFAULTS = {"bag": "false", **joining.DEFAULTS}


def options_of(argv: Sequence[str]) -> FoldsOptions:
    """ValueError for an unknown key, a value that isn't one, or fewer than two runs."""
    arguments = parse(argv, verb="folds", usage=USAGE, defaults=DEFAULTS, groups=["data"], takes_paths=True)
    if len(arguments.paths) < 2:
        raise ValueError(f"folds takes a run of each fold, got {len(arguments.paths)}; write recsys folds RUN RUN ...")
    return FoldsOptions(
        runs=arguments.paths,
        bag=arguments.flag("bag"),
        **joining.fields_of(arguments),
    )
