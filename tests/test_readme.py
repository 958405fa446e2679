"""The commands of the README and of docs/, run: one batch of one epoch each, on the data they name."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from grid import options

from recsys.commands.cli import main
from recsys.data.sources import write_atomic

ROOT = Path(__file__).parents[1]
PAGES = "\n".join(page.read_text() for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])
ML_1M = ROOT.parent / "shared/data/ml-1m"
GROUPS = [
    "model",
    "loss",
    "sampler",
    "optimizer",
    "scheduler",
    "init",
    "logits",
    "callbacks",
    "logger",
    "search",
    "data",
    "split",
    "split/ties",
    "eval",
]
QUICK = (
    "trainer.max_epochs=1",
    "trainer.limit_train_batches=1",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "max_length=10",
)
JOINING = {  # verb: its runs, and what they are trained with
    "ensemble": {"a": (), "b": ()},
    "folds": {f"fold{fold}": ("split=user_folds", "split.num_folds=3", f"split.fold={fold}") for fold in range(3)},
}


def commands() -> list[str]:
    """Every line of a bash block that begins with `recsys`, without its comment.

    Of those that differ by the study's name or the number of seeds alone, the first.
    """
    blocks = re.findall(r"```bash\n(.*?)```", PAGES, flags=re.DOTALL)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    kinds = {re.sub(r" study=\w+|range\(0,\d+\)", "", line): line for line in reversed(lines)}
    return [line for line in reversed(kinds.values()) if line.startswith("recsys ")]


def test_the_pages_show_commands() -> None:
    assert len(commands()) > 5


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_pages_works(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    verb, *arguments = shlex.split(re.sub(r"range\(0,\d+\)", "range(0,1)", command))[1:]  # one seed is enough
    if "data=ml-1m" in arguments:
        if not ML_1M.exists():
            pytest.skip(f"{ML_1M} is absent")
        arguments.append(f"data.path={ML_1M}")
    if "data=csv" in arguments:
        rows = [(user, (user + step) % 20, step) for user in range(40) for step in range(6)]
        pd.DataFrame(rows, columns=["user", "item", "time"]).to_csv("my.csv", index=False)
        Path("genres.tsv").write_text("item\tgenre\n" + "".join(f"{item}\t{item % 2}\n" for item in range(20)))
    if "data=atomic" in arguments:
        if "model=recbole" in arguments:
            pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")
        rows = [(user, (user + step) % 20) for user in range(40) for step in range(6)]
        users, items = zip(*rows, strict=True)
        write_atomic(Path("my.inter"), {"user_id:token": users, "item_id:token": items})
        write_atomic(Path("my.item"), {"item_id:token": range(20), "class:token_seq": [["a", "b"]] * 20})
    if {"data=competition", "competition"}.intersection(arguments):
        maker = [sys.executable, "-m", "experiments.movies.competition", "--out", "films"]
        size = ["--users", "60", "--items", "40", "--rows", "1500"]
        subprocess.run([*maker, *size], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    if verb in ("evaluate", "refit", "recommend", "diagnose"):
        run = next(argument for argument in arguments if argument.startswith("run=")).removeprefix("run=")
        split = ["split=hidden_positives"] if verb == "diagnose" else []
        assert main(["train", f"output_dir='{run}'", *split, *QUICK]) == 0
    if verb == "ledger":
        assert main(["train", "model=pop", *QUICK]) == 0
    if verb == "rerun":
        assert main(["train", f"output_dir={arguments[0]}", *QUICK]) == 0
        arguments += QUICK
    if verb == "tune":
        pytest.importorskip("optuna", reason="needs the extra `tune`")
        arguments = [re.sub(r"trials=\d+", "trials=1", word) for word in arguments] + ["seeds=0", *QUICK[:-1]]
    if verb in JOINING:  # of runs of its own
        arguments = [word for word in arguments if word != "RUN" and "/" not in word]
        for run, overrides in JOINING[verb].items():
            assert main(["train", "model=pop", f"output_dir={run}", *overrides, *QUICK]) == 0
            arguments.append(run)
    if verb == "report":  # on a study of its own
        study = Path(arguments[0]).name
        assert main(["train", "model=pop", "study=" + study, *QUICK]) == 0
        arguments = [argument for argument in arguments if not argument.startswith(("baseline=", "watch="))]
    if "--help" in arguments:
        with pytest.raises(SystemExit, match="0"):
            main([verb, *arguments])
        return
    assert main([verb, *arguments, *(QUICK if verb == "train" else ())]) == 0


@pytest.mark.parametrize("group", GROUPS)
def test_the_pages_name_every_option(group: str) -> None:
    missing = [option for option in options(group) if f"`{option}" not in PAGES]
    assert not missing
