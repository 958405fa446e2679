"""What `recsys report` is told: a folder and `key=value`."""

from dataclasses import dataclass
from pathlib import Path

from recsys.options.arguments import parse

USAGE = """usage: recsys report outputs/STUDY [key=value ...]

  metric=ndcg@10    what decides, and what is tested
  baseline=NAME     test each model against this run; without it, against the best other
  out=DIR           where index.html, table.md, table.tex and table.csv go; STUDY/report
  data=true         read the data again, for strata of users and for the items that are missed
  watch=false       render again whenever a run ends or logs an epoch, until Ctrl-C; also --watch
  every=10          seconds between two looks, when watching"""

DEFAULTS = {"metric": "ndcg@10", "baseline": "", "out": "", "data": "true", "watch": "false", "every": "10"}


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """See USAGE."""

    study: Path
    metric: str
    baseline: str | None
    out: Path
    data: bool
    watch: bool
    every: float


def options_of(argv: list[str]) -> ReportOptions:
    """ValueError for an unknown key, a value that isn't one, or anything but one folder."""
    words = ["watch=true" if word == "--watch" else word for word in argv]
    arguments = parse(words, verb="report", usage=USAGE, defaults=DEFAULTS, takes_paths=True)
    if len(arguments.paths) != 1:
        raise ValueError(
            f"report takes one folder of runs, got {len(arguments.paths)}; write recsys report outputs/STUDY"
        )
    study, out = arguments.paths[0], arguments.text("out")
    return ReportOptions(
        study=study,
        metric=arguments.given["metric"].removeprefix("test/"),
        baseline=arguments.text("baseline"),
        out=Path(out).expanduser() if out else study / "report",
        data=arguments.flag("data"),
        watch=arguments.flag("watch"),
        every=_seconds(arguments.given["every"]),
    )


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"every ({value}) must be a positive number of seconds")
    return seconds
