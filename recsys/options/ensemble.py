"""What `recsys ensemble` and `recsys folds` are told: runs, and `key=value`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.options import joining
from recsys.options.arguments import parse
from recsys.options.joining import JoiningOptions

HOW = ("soft", "rank", "hard")  # see recsys.evaluation.fusion.POINTS
FITTED: dict[str, bool] = {"equal": False, "validation": True}

USAGE = """usage: recsys ensemble RUN RUN ... [key=value ...]        or runs=RUN,RUN,...

  how=soft          soft: mean of scores, each member's from 0 to 1; rank: reciprocal ranks; hard: votes of the ten best
  weights=equal     or validation: chosen greedily by the metric that chose the members' best epochs
  k=100             items of each user that a member has a say in
  study=, name=     where the result stands: outputs/STUDY/DATA/NAME/seedK; the first member's study, ensemble-HOW
                    (with ,weights=validation where those are chosen), the members' seed, or 0 where they have several
  note=, force=true, ledger=, data.KEY=...    as of recsys train

Members must be runs on the same data, split and protocol. Their top lists are kept beside them."""


@dataclass(frozen=True, kw_only=True)
class EnsembleOptions(JoiningOptions):
    """See USAGE."""

    how: str
    weights: str

    @property
    def is_fitted(self) -> bool:
        return FITTED[self.weights]


DEFAULTS = {"how": "soft", "weights": "equal", "runs": "", **joining.DEFAULTS}


def options_of(argv: Sequence[str]) -> EnsembleOptions:
    """ValueError for an unknown key, a value that isn't one, or fewer than two runs."""
    arguments = parse(argv, verb="ensemble", usage=USAGE, defaults=DEFAULTS, groups=["data"], takes_paths=True)
    runs = (*arguments.paths, *_runs(arguments.given["runs"]))
    if len(runs) < 2:
        raise ValueError(f"an ensemble takes two runs or more, got {len(runs)}; write recsys ensemble RUN RUN ...")
    if len(set(map(Path.resolve, runs))) < len(runs):
        raise ValueError("a run is named twice; weights=validation finds out which should count more")
    return EnsembleOptions(
        runs=runs,
        how=arguments.one_of("how", HOW),
        weights=arguments.one_of("weights", FITTED),
        **joining.fields_of(arguments),
    )


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
