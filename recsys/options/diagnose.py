"""`recsys diagnose`: what a trained model makes of missing values and of true negatives."""

from dataclasses import dataclass
from pathlib import Path

from recsys.options.arguments import parse

USAGE = """usage: recsys diagnose run=DIRECTORY [key=value ...]

  run=DIRECTORY      a run trained with split=hidden_positives, or a folder with such runs anywhere below it
  moments=5          of each user and kind of item (observed, missing, disliked), at most so many are asked
  seed=0             of their draw, and of the sampler's negatives
  data.KEY=...       where the data lies now: data.path=FILE

Prints a table and writes diagnosis.json, diagnosis_per_user.parquet and reliability.png beside each run.json."""


@dataclass(frozen=True, kw_only=True)
class DiagnoseOptions:
    """See USAGE."""

    run: Path
    moments: int
    seed: int
    overrides: tuple[str, ...]


def options_of(argv: list[str]) -> DiagnoseOptions:
    """ValueError, in one sentence, for a wrong argument."""
    arguments = parse(
        argv,
        verb="diagnose",
        usage=USAGE,
        defaults={"moments": "5", "seed": "0"},
        required=["run"],
        groups=["data"],
    )
    return DiagnoseOptions(
        run=Path(arguments.given["run"]).expanduser(),
        moments=arguments.whole("moments"),
        seed=arguments.whole("seed", least=0),
        overrides=arguments.overrides,
    )
