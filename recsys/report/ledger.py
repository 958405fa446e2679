"""The ledger: one CSV line per run that has ended, whatever its study."""

import csv
import io
import os
import platform
import shlex
from collections.abc import Mapping
from contextlib import suppress
from getpass import getuser
from pathlib import Path
from typing import Any

from filelock import FileLock

from recsys.whole_files import written_whole

PATIENCE = 30  # seconds that a run waits for others to have written their lines
KEY = "run"  # the column that every ledger has: the run's directory
_ELSEWHERE = (  # keys with a column of their own, or that say nothing of what was computed
    "study",
    "seed",
    "data",
    "note",
    "ledger",
    "logger",
    "force",
    "output_dir",
    "trainer.enable_progress_bar",
)


def line_of(record: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """The ledger's line of a run: what `run.json` says of it, in one value per column; metrics last."""
    config, told = record["config"], record.get("refit") or record  # a refit is told what its run was, and its own
    choices = told.get("choices") or {}
    init, optimizer, seconds = config.get("init") or {}, config.get("optimizer") or {}, record["seconds"]
    source = (record.get("init") or init).get("source")  # the checkpoint itself, where one was looked for
    facts = {
        "finished_at": record["finished_at"],
        "status": record["status"],
        "who": _who(),
        "study": record["study"],
        "data": record["data"],
        "name": record["name"],
        "seed": record["seed"],
        "overrides": differing(told.get("overrides") or []),
        "init": " ".join(str(part) for part in (choices.get("init"), source) if part),
        "frozen": " ".join(init.get("freeze") or []),
        "optimizer": choices.get("optimizer"),
        "lr": optimizer.get("lr"),
        "scheduler": choices.get("scheduler"),
        "batch_size": config.get("batch_size"),
        "epochs": record["epochs"],
        "best_epoch": record["best_epoch"],
        "fit_seconds": _rounded(seconds.get("fit")),
        "seconds": _rounded(seconds.get("total")),
        "memory_gb": record["peak_memory_gb"],
        "parameters": record["num_parameters"],
        "git": record["environment"].get("git"),
        "note": config.get("note"),
        KEY: _place(directory),
    }
    return facts | {name: round(value, 6) for name, value in record["metrics"].items()}


def differing(overrides: list[str]) -> str:
    """What of a command line is not the default and has no column of its own, ready to be pasted into a shell."""
    return " ".join(shlex.quote(one) for one in overrides if one.lstrip("+~").partition("=")[0] not in _ELSEWHERE)


def append(file: Path, line: Mapping[str, Any]) -> None:
    """Adds the line, under a lock, so that jobs side by side lose none; a metric that is new becomes a new column.

    Lines that are there stay as they are, broken ones too. OSError where the file can't be written or the lock isn't
    had in time, ValueError where the file is no ledger.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock", timeout=PATIENCE):
        text = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
        header, _, rest = text.partition("\n")
        columns = next(csv.reader([header]), [])
        if text and KEY not in columns:
            raise ValueError(f"{file} is no ledger: its first line has no column {KEY}; move it away")
        new = [name for name in line if name not in columns]
        row = _csv([line.get(name) for name in (*columns, *new)])
        if new:
            _replace(file, _csv([*columns, *new]) + _ended(rest) + row)
            return
        with file.open("a", encoding="utf-8") as open_file:
            open_file.write(("" if text.endswith("\n") else "\n") + row)  # a writer may have died in its line


def read(file: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Every line as column -> text, oldest first, and one sentence for each line that is broken.

    FileNotFoundError without a file, ValueError where it is no ledger.
    """
    if not file.exists():
        raise FileNotFoundError(f"{file} is absent: no run has ended here yet; start one with recsys train")
    rows = list(enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1))
    columns = next(csv.reader([rows[0][1]]), []) if rows else []
    if KEY not in columns:
        raise ValueError(f"{file} is no ledger: its first line has no column {KEY}")
    lines, problems = [], []
    for number, text in rows[1:]:
        values = next(csv.reader([text]), [])
        line = dict(zip(columns, values, strict=False))  # older lines lack the columns that came later
        if line.get(KEY) and len(values) <= len(columns):
            lines.append({name: line.get(name, "") for name in columns})
        elif text:
            problems.append(f"{file}, line {number} is broken and is left out.")
    return lines, problems


def _csv(values: list[Any]) -> str:
    buffer = io.StringIO()
    texts = ["" if value is None else " ".join(str(value).split()) for value in values]  # a run is one line
    csv.writer(buffer, lineterminator="\n").writerow(texts)
    return buffer.getvalue()


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"


def _replace(file: Path, text: str) -> None:
    with written_whole(file) as partial:
        partial.write_text(text, encoding="utf-8", errors="surrogateescape")


def _who() -> str:
    user = "unknown"
    with suppress(OSError, KeyError, ImportError):  # a container's user may have no name
        user = getuser()
    return f"{user}@{platform.node()}"


def _place(directory: Path) -> str:
    """As it is typed: relative to the current directory where it lies below."""
    path = directory.resolve()
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
