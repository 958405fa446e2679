"""What `recsys tune` is told: how to search, and the overrides of `recsys train` that all trials share."""

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.options.arguments import parse

USAGE = """usage: recsys tune [key=value ...] [any override of recsys train ...]

  search=sasrec     what to choose from: conf/search/NAME.yaml, or a YAML file of your own
  trials=20         how many runs in all; a search that was cut short, or is given more, continues
  jobs=1            trials side by side, one process each
  seeds=3           train the best trial with so many other seeds, in the study NAME-best; 0: don't
  prune=true        end trials early that validate worse than most did at the same epoch

What decides is `monitor`, a metric of the validation. study=NAME (tune) names the folder under outputs/."""

STUDY = "tune"
DEFAULTS = {"search": "sasrec", "trials": "20", "jobs": "1", "seeds": "3", "prune": "true"}


@dataclass(frozen=True, kw_only=True)
class TuneOptions:
    """See USAGE. overrides: of every trial."""

    search: str
    trials: int
    jobs: int
    seeds: int
    prune: bool
    overrides: tuple[str, ...]


def options_of(argv: Sequence[str]) -> TuneOptions:
    """ValueError for a value that isn't one, or for a flag."""
    own = [word for word in argv if word.partition("=")[0] in DEFAULTS or word in ("-h", "--help")]
    overrides = [word for word in argv if word not in own]
    for word in overrides:
        if word.startswith("-"):
            raise ValueError(f"tune starts its trials itself: leave out {word}; jobs=2 runs two side by side")
    if not any(word.startswith("study=") for word in overrides):
        overrides.append(f"study={STUDY}")
    arguments = parse(own, verb="tune", usage=USAGE, defaults=DEFAULTS)
    return TuneOptions(
        search=arguments.given["search"],
        trials=arguments.whole("trials"),
        jobs=arguments.whole("jobs"),
        seeds=arguments.whole("seeds", least=0),
        prune=arguments.flag("prune"),
        overrides=tuple(overrides),
    )
