"""CONTRIBUTING.md, followed literally: its files written into a copy of the code, its commands run there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text()
FILES = re.findall(r"^`((?:recsys|conf)/[\w/.]+)`\n\n```\w+\n(.*?)```", GUIDE, flags=re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^`(recsys train .*)`$", GUIDE, flags=re.MULTILINE)
QUICK = ["trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.enable_progress_bar=false", "max_length=8"]
CONTRACTS = {
    "exponential": "tests/losses/test_contract.py",
    "neighbours": "tests/candidates/test_contract.py",
    "decay": "tests/models/test_contract.py",
}
LEARNING = "tests/tasks/test_learning.py"  # of its cases those of what was added, with a few of the known partners
NEW_CASES = {
    "exponential": "learns and exponential and sasrec",
    "neighbours": "point and neighbours and sasrec and bpr",
    "decay": "decay and (ce or bpr)",
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with the guide's files in it and a data set beside it."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("recsys", "conf", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for name, text in FILES:
        (root / name).write_text(text)
    clicks = [f'{{"user": {u}, "item": {(u + step) % 30}, "time": {step}}}' for u in range(40) for step in range(6)]
    (root / "clicks.jsonl").write_text("\n".join(clicks))
    return root


def run(checkout: Path, *command: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_walk_is_one_file_and_one_yaml() -> None:
    assert [name.split("/")[0] for name, _ in FILES] == ["recsys", "conf"] * 4
    assert len(COMMANDS) == 4


def test_what_was_added_trains(checkout: Path) -> None:
    """In one process: importing takes longer than training."""
    rows = [f"{user},{(user + step) % 30}" for user in range(40) for step in range(6)]
    (checkout / "clicks.csv").write_text("\n".join(["user,item", *rows]))
    trained = []
    for command in COMMANDS:
        _, *arguments = shlex.split(command)
        own = [] if "data=clicks" in arguments else ["data=csv", "data.path=clicks.csv"]
        trained.append([*arguments, *own, *QUICK])
    program = (
        f"from recsys.commands.cli import main\nfor argv in {trained!r}: print(argv); assert main(argv) == 0, argv"
    )
    printed = run(checkout, sys.executable, "-c", program)
    for argv in trained:
        _, printed = printed.split(str(argv))
        assert "NDCG" in printed.partition("['train'")[0], argv


def passed(checkout: Path, *arguments: str) -> list[str]:
    """Which tests passed, in one process: a third of the time of one for each."""
    printed = run(checkout, sys.executable, "-m", "pytest", "-v", *arguments)
    return [line for line in printed.splitlines() if "PASSED" in line]


def test_the_contract_tests_find_it_and_it_keeps_them(checkout: Path) -> None:
    found = passed(checkout, *CONTRACTS.values(), "-k", " or ".join(CONTRACTS))
    for name, file in CONTRACTS.items():
        assert any(line.startswith(file) and name in line for line in found), name


def test_it_is_a_point_of_the_grid_that_learns(checkout: Path) -> None:
    found = passed(checkout, LEARNING, "-k", " or ".join(f"({cases})" for cases in NEW_CASES.values()))
    for name in NEW_CASES:
        assert any(name in line for line in found), name


def test_it_is_written_as_the_project_is(checkout: Path) -> None:
    code = [name for name, _ in FILES if name.endswith(".py")]
    run(checkout, sys.executable, "-m", "ruff", "check", *code)
    run(checkout, sys.executable, "-m", "ruff", "format", "--check", *code)
