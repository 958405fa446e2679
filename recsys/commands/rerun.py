"""`recsys rerun`: a run's own command line with some of it changed."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from recsys.config.command_line import with_note_quoted
from recsys.config.composing import run_with_hydra
from recsys.consoles import plain_console
from recsys.options.arguments import answer_help
from recsys.options.rerun import USAGE
from recsys.report.runs import load_run
from recsys.runs.directory import compared, differences, register_resolvers
from recsys.runs.training import train

OWN = ("force", "output_dir", "note", "ledger")  # said of that run alone


def main(argv: list[str]) -> None:
    """Prints the command and, for each job, what differs from the run's config; trains as `recsys train` does."""
    answer_help(argv, USAGE)
    directory, changes = arguments(argv)
    overrides = with_note_quoted(merged(recorded(directory), changes))
    console = plain_console()
    console.print(f"recsys train {shlex.join(overrides)}", soft_wrap=True, highlight=False)

    def task(config: DictConfig) -> None:
        for line in changed(directory, config):
            console.print(f"  {line}", soft_wrap=True, highlight=False)
        train(config)

    register_resolvers()
    run_with_hydra(task, config_name="train", argv=overrides)


def arguments(argv: Sequence[str]) -> tuple[Path, list[str]]:
    """The run, and what is changed. A path may hold an `=`, as names of runs do: it is known by being there."""
    runs = [word for word in argv if Path(word).is_dir() or ("=" not in word and not word.startswith(("-", "~")))]
    if len(runs) != 1:
        raise ValueError(
            f"rerun takes one directory of a run, got {len(runs)}; write recsys rerun RUN [optimizer=radam ...]"
        )
    return Path(runs[0]), [word for word in argv if word not in runs]


def recorded(directory: Path) -> list[str]:
    """The overrides of the run. ValueError where its record has none."""
    load_run(directory)  # says what is wrong with the record
    record = json.loads((directory / "run.json").read_text())
    if not record.get("choices") or not (directory / "config.yaml").exists():
        raise ValueError(f"{directory} keeps no command line of recsys train: write one, recsys train KEY=VALUE ...")
    return record["overrides"]


def merged(there: Sequence[str], here: Sequence[str]) -> list[str]:
    """The run's overrides but those whose key is given anew, then what is given."""
    anew = {_key(word) for word in here} | set(OWN)
    return [word for word in there if _key(word) not in anew] + list(here)


def changed(directory: Path, config: DictConfig) -> list[str]:
    """A line per key that differs from the run's config: set so, or a default that has changed since."""
    there = compared(OmegaConf.load(directory / "config.yaml"))
    here = compared(OmegaConf.create(OmegaConf.to_container(config)))  # unresolved: a difference shows at one key
    known = {key: value for key, value in there.items() if not key.endswith("_fingerprint")}
    return differences(known, here) or ["nothing differs from that run's config"]


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]
