"""The command line: help without heavy imports, one line for the user's mistakes, tracebacks for bugs."""

import subprocess
import sys
import time
from importlib.util import find_spec
from types import ModuleType

import pytest

from recsys import __version__
from recsys.commands import cli

VERB_SOURCE = """
def main(argv):
    if argv == ["user"]:
        raise ValueError("dim (3) must be even, got 3,\\n  pass dim=4")
    if argv == ["file"]:
        raise FileNotFoundError("no file ml-100k.inter; pass data.path=...")
    if argv == ["unguarded"]:
        int("abc")
    if argv == ["library"]:
        from fractions import Fraction
        Fraction("abc")
    if argv == ["interrupt"]:
        raise KeyboardInterrupt
    if argv == ["instantiate"]:
        from hydra.utils import instantiate
        instantiate({"_target_": "recsys.commands.probe.main", "argv": ["user"]}, _convert_="all")
    return 7 if argv == ["seven"] else None
"""


@pytest.fixture(autouse=True)
def probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb `probe` whose behaviour is its argument."""
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    module = ModuleType("recsys.commands.probe")
    exec(VERB_SOURCE, module.__dict__)
    monkeypatch.setitem(sys.modules, "recsys.commands.probe", module)
    monkeypatch.setattr("recsys.commands.probe", module, raising=False)
    monkeypatch.setitem(cli.VERBS, "probe", "a verb of the tests")


def test_help_answers_within_a_second_without_heavy_imports():
    heavy = "{'torch', 'hydra', 'omegaconf', 'pandas', 'numpy', 'pytorch_lightning'} & set(sys.modules)"
    code = f"import sys; from recsys.commands.cli import main; main(['--help']); print({heavy})"
    started = time.perf_counter()
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 1
    assert answer.stdout.endswith("set()\n")
    assert "train " in answer.stdout
    assert "inspect " in answer.stdout


def test_module_and_console_script_are_the_same_command():
    answer = subprocess.run([sys.executable, "-m", "recsys", "--version"], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (0, f"recsys {__version__}\n")


@pytest.mark.parametrize("argv", [[], ["-h"], ["--help"]])
def test_help_lists_every_verb(argv: list[str], capsys: pytest.CaptureFixture[str]):
    assert cli.main(argv) == 0
    printed = capsys.readouterr().out
    for verb, description in cli.VERBS.items():
        assert verb in printed
        assert description in printed


def test_every_verb_has_its_module():
    for verb in cli.VERBS.keys() - {"probe"}:
        assert find_spec(cli.module_of(verb)) is not None


@pytest.mark.parametrize(("argv", "code"), [([], 0), (["seven"], 7)])
def test_exit_code_is_the_verbs(argv: list[str], code: int):
    assert cli.main(["probe", *argv]) == code


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["prob"], "unknown verb 'prob'; did you mean 'probe'?"),
        (
            ["model=gru"],
            f"unknown verb 'model=gru'; the verbs are {', '.join([*cli.VERBS, 'probe'])}",
        ),
        (["probe", "user"], "dim (3) must be even, got 3, pass dim=4"),
        (["probe", "file"], "no file ml-100k.inter; pass data.path=..."),
        (["probe", "instantiate"], "dim (3) must be even, got 3, pass dim=4"),
    ],
)
def test_a_mistake_of_the_user_is_one_line(argv: list[str], line: str, capsys: pytest.CaptureFixture[str]):
    assert cli.main(argv) == 2
    assert capsys.readouterr() == ("", f"recsys: error: {line}\n")


@pytest.mark.parametrize("argv", ["unguarded", "library"])
def test_a_bug_keeps_its_traceback(argv: str):
    with pytest.raises(ValueError, match="abc"):
        cli.main(["probe", argv])


def test_full_errors_on_request(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ValueError, match="must be even"):
        cli.main(["probe", "user"])


def test_interrupt_is_one_line_and_130(capsys: pytest.CaptureFixture[str]):
    assert cli.main(["probe", "interrupt"]) == 130
    assert capsys.readouterr() == ("", "recsys: interrupted\n")


def test_a_pipe_whose_reader_has_gone_ends_the_command_without_a_word() -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "recsys", "report", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert command.stdout is not None
    command.stdout.close()
    command.stdout = None
    assert (command.communicate()[1], command.returncode) == ("", 141)
