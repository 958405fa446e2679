"""The directory of one run: what it holds, whether it may be written to, and its record."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from omegaconf import DictConfig, OmegaConf

from recsys.config.command_line import command_line
from recsys.config.composing import remove_if_empty
from recsys.report.ledger import append, line_of
from recsys.report.variants import NOT_IDENTITY
from recsys.runs.environment import environment
from recsys.whole_files import written_whole

LOCK = ".lock"
LONGEST_NAME = 200  # bytes of a run's name; file systems end at 255
ELSEWHERE = "choose another study=NAME (other data: data.name=NAME), or force=true to run over it"
RESULTS = (
    "run.json",
    "config.yaml",
    "last.ckpt",
    "best.ckpt",
    "metrics.csv",
    "per_user*.parquet",
    "topk_*.parquet",
    "evaluations.json",
    "learning_curve.png",
    "gradient_flow.*",
    "diagnosis.json",
    "diagnosis_per_user.parquet",
    "reliability.png",
)

log = logging.getLogger(__name__)


class RunDirectory:
    """outputs/<study>/<data>/<run>/seed<k>: run.json, config.yaml, metrics.csv, per_user.parquet, checkpoints.

    fingerprints: of the data that the run is about and, where it reads them, of the items' attributes; a run on others
    is another run.
    """

    def __init__(self, path: Path, *, config: DictConfig, fingerprints: Mapping[str, str]) -> None:
        self.path = path
        self.config: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # pyright: ignore
        unresolved: dict[str, Any] = OmegaConf.to_container(config)  # pyright: ignore  # a difference shows at one key
        known_by = {f"{name}_fingerprint": value for name, value in fingerprints.items()}
        self.identity = OmegaConf.create({**unresolved, **known_by})

    def is_finished(self, *, instead: str = ELSEWHERE) -> bool:
        """Whether this very config has been run to its end here; ValueError where another config or other data has.

        `force=true` asks for the run whatever is here. instead: what whoever asks can do, said in the refusal.
        """
        config_file = self.path / "config.yaml"
        if self.config["force"] or not config_file.exists():
            return False
        different = differences(compared(OmegaConf.load(config_file)), compared(self.identity))
        if different:
            raise ValueError(f"{self.path} holds a run of another config ({'; '.join(different[:5])}); {instead}")
        record = self.path / "run.json"
        return record.exists() and json.loads(record.read_text())["status"] == "finished"

    @contextmanager
    def held(self, *, waiting: Callable[[Path], None]) -> Iterator[None]:
        """Within, no other process holds it: one that wants to waits. A hold ends with its process, however that ends.

        waiting: called before the wait, where there is one.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            waiting(self.path)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()
            if not (self.path / "config.yaml").exists():  # it was not begun
                (self.path / LOCK).unlink(missing_ok=True)
                remove_if_empty(self.path)

    def start(self) -> Path | None:
        """Writes the config; returns the checkpoint of a run of it that was cut short, if there is one.

        `force=true` removes what an earlier run left.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if self.config["force"]:
            for file in (file for pattern in RESULTS for file in self.path.glob(pattern)):
                file.unlink(missing_ok=True)
        OmegaConf.save(self.identity, self.path / "config.yaml")
        checkpoint = self.path / "last.ckpt"
        return checkpoint if checkpoint.exists() else None

    def write(self, **facts: Any) -> None:
        """Writes run.json: the given facts and what identifies the run; all or nothing. Then the ledger's line."""
        record = {
            **command_line(),
            **facts,
            "name": self.config["name"],
            "data": self.config["data"]["name"],
            "study": self.config["study"],
            "seed": self.config["seed"],
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "environment": environment(),
            "config": self.config,
        }
        with written_whole(self.path / "run.json") as partial:
            partial.write_text(json.dumps(record, indent=1))
        self._enter(record)

    def _enter(self, record: Mapping[str, Any]) -> None:
        """A ledger that can't be written is no reason to lose a run."""
        if ledger := self.config.get("ledger"):
            try:
                append(Path(ledger), line_of(record, self.path))
            except Exception as problem:
                log.warning("the ledger has no line of this run (%s)", problem)


def register_resolvers() -> None:
    """Makes `${run_name:...}` known to conf/train.yaml."""
    OmegaConf.register_new_resolver("run_name", _run_name_in, replace=True)


def _run_name_in(model: str, loss: str | None, overrides: str, *, _root_: DictConfig) -> str:
    """`run_name` in a config: an option that stands for many models says in `model.name` which."""
    return run_name(model, loss, overrides, which=OmegaConf.select(_root_, "model.name"))


def run_name(model: str, loss: str | None, overrides: str, *, which: str | None = None) -> str:
    """Name of a run's directory: model, which of its kind, loss (None: none) and what else the command line set."""
    chosen = "-".join(part for part in (model, which, loss) if part)
    name = chosen + (f",{overrides.replace('/', '.')}" if overrides else "")
    if len(name.encode()) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]  # names that begin alike stay apart
    return f"{name.encode()[:LONGEST_NAME].decode(errors='ignore')}...{digest}"


def differences(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted keys at which two configs differ, with both values."""
    found = []
    for key in [*there, *(key for key in here if key not in there)]:
        one, other = there.get(key), here.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += differences(one, other, f"{prefix}{key}.")
        elif isinstance(one, list) and isinstance(other, list) and one != other:
            found.append(f"{prefix}{key} {_list_difference(one, other)}")
        elif one != other:
            found.append(f"{prefix}{key} is {_short(one)} there, {_short(other)} here")
    return found


def _list_difference(there: list[Any], here: list[Any]) -> str:
    """What is in one of two lists alone; both of them where that is nothing."""
    alone = [[each for each in mine if each not in others] for mine, others in ((there, here), (here, there))]
    if not any(alone):
        return f"is {_short(there)} there, {_short(here)} here"
    there_alone, here_alone = (_short(", ".join(map(str, each))) if each else "nothing" for each in alone)
    return f"has {there_alone} there alone, {here_alone} here alone"


def compared(config: Any) -> dict[str, Any]:
    """What tells two runs apart."""
    config = config.copy()
    for key in NOT_IDENTITY:
        OmegaConf.update(config, key, None)
    return OmegaConf.to_container(config)  # pyright: ignore[reportReturnType]


def _short(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:20]}...{text[-37:]}"
