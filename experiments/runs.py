"""What the studies share: training runs in processes of their own, each skipped where it is finished."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from omegaconf import OmegaConf

from recsys.report.runs import Run, load_run

T = TypeVar("T")


def parsed(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, list[str]]:
    """The command line's options, and what stands behind `--`, which goes to every run."""
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return parser.parse_args(arguments[:end]), arguments[end + 1 :]


def train(overrides: Iterable[str], path: Path, *, name: str, seed: int) -> Run | None:
    """The run in that directory, on one thread; None, and what it said, where it fails.

    overrides: of two for one key the later one counts.
    """
    facts = [f"output_dir='{path}'", f"name='{name}'", f"seed={seed}", "trainer.enable_progress_bar=false"]
    last = {override.partition("=")[0]: override for override in [*overrides, *facts]}
    return load_run(path) if recsys("train", *last.values()) else None


def recsys(*arguments: str) -> bool:
    """Runs the command on one thread; whether it succeeded. What it said is printed where it did not."""
    reason = failure(*arguments)
    if reason is not None:
        print(f"FAILED recsys {' '.join(arguments)}: {reason}", flush=True)
    return reason is None


def failure(*arguments: str, minutes: float | None = None) -> str | None:
    """Runs the command on one thread; why it failed, or that it took too long; None where it did neither."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "recsys", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            timeout=None if minutes is None else 60 * minutes,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"took more than {minutes:g} minutes; the same command continues it"
    return " ".join(done.stderr.split())[-500:] if done.returncode else None


def side_by_side(work: Iterable[Callable[[], T]], *, jobs: int) -> list[T]:
    """What each returns, `jobs` of them at work at a time."""
    with ThreadPoolExecutor(jobs) as pool:
        return [done.result() for done in [pool.submit(each) for each in work]]


def reuse(source: Path, target: Path, *, name: str, study: str) -> None:
    """Copies a finished run of another study; `recsys train` then says whether its config is that of this one."""
    if not (target / "run.json").exists():
        shutil.copytree(source, target, dirs_exist_ok=True)
        own = {"name": name, "study": study}
        config = OmegaConf.load(target / "config.yaml")
        OmegaConf.save(OmegaConf.merge(config, own), target / "config.yaml")
        record = json.loads((target / "run.json").read_text())
        (target / "run.json").write_text(json.dumps(record | own, indent=1))
