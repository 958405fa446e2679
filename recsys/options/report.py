"""What `recsys report` is told: a folder and `key=value`."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

USAGE = """usage: recsys report outputs/STUDY [key=value ...]

  metric=ndcg@10    what decides, and what is tested
  baseline=NAME     test each model against this run; without it, against the best other
  out=DIR           where index.html, table.md, table.tex and table.csv go; STUDY/report
  data=true         read the data again, for strata of users and for the items that are missed
  watch=false       render again whenever a run ends or logs an epoch, until Ctrl-C; also --watch
  every=10          seconds between two looks, when watching"""

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_KEYS = ("metric", "baseline", "out", "data", "watch", "every")


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

    @staticmethod
    def help() -> str:
        """The text of --help."""
        return USAGE


def parse(argv: list[str]) -> ReportOptions:
    """ValueError for an unknown key, a value that isn't one, or anything but one folder.

    An argument that is an existing path is the folder, though its name may hold an `=` as names of runs do.
    """
    words = ["watch=true" if word == "--watch" else word for word in argv]
    folders = [word for word in words if "=" not in word or Path(word).exists()]
    given = {key: value for key, _, value in (word.partition("=") for word in words if word not in folders)}
    for key in given:
        if key not in _KEYS:
            near = get_close_matches(key, _KEYS, n=1)
            advice = f"did you mean {near[0]}?" if near else f"its keys are {', '.join(_KEYS)}"
            raise ValueError(f"{key}: unknown key of report; {advice}")
        if not given[key]:
            raise ValueError(f"{key} is empty; write {key}=VALUE or leave it out")
    if len(folders) != 1:
        raise ValueError(f"report takes one folder of runs, got {len(folders)}; write recsys report outputs/STUDY")
    study = Path(folders[0]).expanduser()
    return ReportOptions(
        study=study,
        metric=given.get("metric", "ndcg@10").removeprefix("test/"),
        baseline=given.get("baseline"),
        out=Path(given.get("out", study / "report")).expanduser(),
        data=_flag("data", given.get("data", "true")),
        watch=_flag("watch", given.get("watch", "false")),
        every=_seconds(given.get("every", "10")),
    )


def _flag(key: str, value: str) -> bool:
    if value.lower() not in _FLAGS:
        raise ValueError(f"{key} ({value}) must be true or false")
    return _FLAGS[value.lower()]


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"every ({value}) must be a positive number of seconds")
    return seconds
