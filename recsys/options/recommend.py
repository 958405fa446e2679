"""`recsys recommend`: the best unseen items of users, as a table to hand in or to serve."""

from dataclasses import dataclass
from pathlib import Path

from recsys.options.arguments import parse
from recsys.options.refit import HOW

USAGE = """usage: recsys recommend run=DIRECTORY out=FILE [key=value ...]

  run=DIRECTORY      a run, or what recsys ensemble or recsys folds has made of runs: its members joined as evaluated
  refit=full         or swap: the run's refit in its place, or that of each member of an ensemble, weighted as those
  k=10               items per user: distinct, of the data, none that the user has had
  out=sub.csv        .csv, .tsv or .parquet; columns user, item, score
  scores=true        false: the columns user and item alone, as a competition takes them
  titles=false       true: a column title, where the data set has titles (data.titles.path=FILE)
  users=FILE         these users alone, in this order: one id per line, or a table's column user (as of a submission);
                     without it, every user of the data
  histories=FILE     new users: their interactions, a file like the data's own, of any name, or a table user,item, whose
                     times are the column named as in the data, timestamp or time; user,item alone: oldest first
  batch_size=256     users scored at once
  data.KEY=...       where the data lies now: data.path=FILE"""

ENDINGS = (".csv", ".tsv", ".parquet")


@dataclass(frozen=True, kw_only=True)
class RecommendOptions:
    """See USAGE. overrides: of the data's keys."""

    run: Path
    out: Path
    refit: str | None
    k: int
    scores: bool
    titles: bool
    users: Path | None
    histories: Path | None
    batch_size: int
    overrides: tuple[str, ...]


def options_of(argv: list[str]) -> RecommendOptions:
    """ValueError or FileNotFoundError, in one sentence, for a wrong argument."""
    defaults = {
        "refit": "",
        "k": "10",
        "scores": "true",
        "titles": "false",
        "users": "",
        "histories": "",
        "batch_size": "256",
    }
    words = [f"run={word}" if _is_path(word) else word for word in argv]
    if sum(word.startswith("run=") for word in words) > 1:
        raise ValueError("recommend takes one run; several are one once recsys ensemble has joined them")
    arguments = parse(words, verb="recommend", usage=USAGE, defaults=defaults, required=["run", "out"], groups=["data"])
    given = arguments.given
    out = Path(given["out"]).expanduser()
    if out.suffix not in ENDINGS:
        raise ValueError(f"out ({out}) must end in {', '.join(ENDINGS)}")
    if given["users"] and given["histories"]:
        raise ValueError("users and histories exclude each other: a file of histories names its users itself")
    return RecommendOptions(
        run=Path(given["run"]).expanduser(),
        out=out,
        refit=arguments.one_of("refit", HOW) if arguments.text("refit") else None,
        k=arguments.whole("k"),
        scores=arguments.flag("scores"),
        titles=arguments.flag("titles"),
        users=_file("users", given["users"]),
        histories=_file("histories", given["histories"]),
        batch_size=arguments.whole("batch_size"),
        overrides=arguments.overrides,
    )


def _is_path(word: str) -> bool:
    """Whether it is a run without its key, whose name may hold an `=`."""
    key, equals, _ = word.partition("=")
    return not word.startswith("-") and (not equals or "/" in key or Path(word).is_dir())


def _file(key: str, given: str) -> Path | None:
    path = Path(given).expanduser() if given else None
    if path is not None and not path.is_file():
        raise FileNotFoundError(f"{key} ({given}) does not exist; give an existing file")
    return path
