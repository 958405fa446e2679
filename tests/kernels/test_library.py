"""C compiled where it runs: which compiler, when again, and what is said where it fails."""

import ctypes
import shutil
import sys
import warnings
from pathlib import Path

import pytest
import torch

from recsys.kernels import library as module
from recsys.kernels.library import compiler, library
from recsys.models.attention import attend

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler (cc)")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is compiled yet; what is goes to the test's folder."""
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(module, "library", library.__wrapped__)


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "kernels").iterdir())


@needs_compiler
def test_one_file_is_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(module.library(), ctypes.CDLL)
    (path,) = kept(tmp_path)
    written = path.stat().st_mtime_ns
    assert isinstance(module.library(), ctypes.CDLL)
    assert [path.stat().st_mtime_ns for path in kept(tmp_path)] == [written]
    monkeypatch.setattr(module, "FLAGS", (*module.FLAGS, "-mno-avx512f", "-DOTHER=1"))
    module.library()
    assert len(kept(tmp_path)) == 2


@needs_compiler
def test_narrower_processors_come_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query, key_value, lengths = torch.randn(40, 20), torch.randn(40, 40), torch.tensor([1, 17, 22])
    expected = attend(query, key_value, lengths, num_heads=2, causal=True)
    monkeypatch.setattr(module, "FLAGS", tuple(flag for flag in module.FLAGS if flag != "-march=native"))
    narrow = module.library()
    monkeypatch.setattr(module, "library", lambda: narrow)
    torch.testing.assert_close(attend(query, key_value, lengths, num_heads=2, causal=True), expected)


@pytest.mark.parametrize("named", ["", "no-such-compiler -O2"])
def test_without_a_compiler_training_goes_on_and_says_what_it_costs(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", named)
    with pytest.warns(UserWarning, match=r"no C compiler was found; install one, or pip install 'recsys\[compiler\]'"):
        assert module.library() is None


def test_a_compiler_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", script(tmp_path / "cc", "echo 'unknown flag -march' >&2; exit 3"))
    with pytest.warns(UserWarning, match=r"cc failed \(unknown flag -march\); set CC to another C compiler: attention"):
        assert module.library() is None


@needs_compiler
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="point RECSYS_CACHE to a writable folder"):
        assert module.library() is None


@needs_compiler
def test_cc_may_have_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", f"{COMPILER} -O1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(module.library(), ctypes.CDLL)


def test_the_compiler_of_a_package_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name == "ziglang" else None)
    assert compiler() == [sys.executable, "-m", "ziglang", "cc"]
    monkeypatch.setenv("CC", "gcc-9")  # who names one wants that one
    assert compiler() is None
