"""C compiled where it runs: which compiler, when again, and what is said where it fails."""

import ctypes
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from recsys.kernels import library as module
from recsys.kernels.draws import Draws
from recsys.kernels.library import call, compiler, compilers, has_threads, library, require_memory, takes
from recsys.models.attention import attend
from recsys.models.dropout import Dropout
from recsys.parallel import call_each

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler (cc)")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is compiled yet; what is goes to the test's folder, and no other compiler stands in."""
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(module, "_found", [])
    monkeypatch.setattr(module, "FLAGS", tuple("-O1" if flag == "-O3" else flag for flag in module.FLAGS))  # quicker
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "kernels").glob("*/*.so"))


@needs_compiler
def test_one_file_is_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(library(), ctypes.CDLL)
    assert compiler() == "cc"
    (path,) = kept(tmp_path)
    written = path.stat().st_mtime_ns
    module._found.clear()
    assert isinstance(library(), ctypes.CDLL)
    assert [path.stat().st_mtime_ns for path in kept(tmp_path)] == [written]
    for flags in (("-fno-tree-vectorize",), ("-DOTHER=1",)):
        module._found.clear()
        monkeypatch.setattr(module, "FLAGS", (*module.FLAGS, *flags))
        library()
    assert len(kept(tmp_path)) == 3


@needs_compiler
def test_a_damaged_file_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library()
    (whole,) = kept(tmp_path)
    damaged = tmp_path / "other" / whole.relative_to(tmp_path)
    damaged.parent.mkdir(parents=True)
    damaged.touch()
    module._found.clear()
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "other"))
    assert isinstance(library(), ctypes.CDLL)
    assert damaged.stat().st_size > 1000


@needs_compiler
def test_narrower_processors_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = torch.tensor([1, 17, 22])

    def results() -> list[torch.Tensor]:
        torch.manual_seed(1)
        query, key_value = torch.randn(40, 20, requires_grad=True), torch.randn(40, 40, requires_grad=True)
        mixed = attend(query, key_value, lengths, num_heads=2, causal=True, dropout=0.3)
        return [mixed, *torch.autograd.grad(mixed.square().sum(), (query, key_value)), Dropout(0.5)(query)]

    expected = results()
    module._found.clear()
    monkeypatch.setattr(module, "NATIVE", ())
    for one, other in zip(results(), expected, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("named", ["", "no-such-compiler -O2"])
def test_without_a_compiler_training_goes_on_and_says_once_what_it_costs(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", named)
    with pytest.warns(UserWarning, match=r"no C compiler was found; install one, or pip install .* '\.\[compiler\]'"):
        assert library() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert library() is None
    assert not takes(torch.zeros(1))


def test_a_compiler_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", script(tmp_path / "cc", "echo 'In file a.h' >&2; echo 'error: no libc' >&2; exit 3"))
    assert compiler() is not None  # as far as anyone knows
    with pytest.warns(UserWarning, match=r"cc failed \(error: no libc\); set CC to another C compiler: attention"):
        assert library() is None
    assert compiler() is None


@needs_compiler
def test_a_compiler_that_does_not_know_this_processor_compiles_for_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picky = f'case "$*" in *native*) echo "unknown -march" >&2; exit 1;; *) exec {COMPILER} "$@";; esac'
    monkeypatch.setenv("CC", script(tmp_path / "cc", picky))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(library(), ctypes.CDLL)


@needs_compiler
@pytest.mark.parametrize("openmp", [True, False])
def test_functions_of_several_lists_of_arguments(openmp: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not openmp:
        monkeypatch.setattr(module, "_threaded", tuple)
    assert has_threads() == (openmp and bool(module._threaded()))
    x = torch.arange(1.0, 1001)
    out = torch.zeros(1000)
    parts = [(x, None, out, *part, Draws(0, 0, 0)) for part in ((0, 320), (320, 640), (640, 1000))]
    assert call_each("drop", parts) == [1, 1, 1]
    assert torch.equal(out, x)


@needs_compiler
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="point RECSYS_CACHE to a writable folder"):
        assert library() is None


@needs_compiler
def test_another_users_folder_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = tmp_path.stat().st_uid
    monkeypatch.setattr("os.getuid", lambda: user + 1)
    with pytest.warns(UserWarning, match="belongs to another user; point RECSYS_CACHE"):
        assert library() is None


@needs_compiler
@pytest.mark.parametrize("named", ["{} -O1", "env {}"])
def test_cc_may_be_of_several_words(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", named.format(COMPILER))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(library(), ctypes.CDLL)


def test_the_compiler_of_a_package_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if name == "ziglang" else None)
    assert list(compilers()) == [[sys.executable, "-m", "ziglang", "cc"]]
    monkeypatch.setenv("CC", "gcc-9")  # who names one wants that one
    assert not list(compilers())


def test_calls_that_found_no_memory_are_one_error() -> None:
    require_memory([1, 1], what="rows")
    with pytest.raises(MemoryError, match="no memory for rows"):
        require_memory([1, 0], what="rows")


@needs_compiler
@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(4, 4).T,
        torch.zeros(4).double(),
        torch.zeros(4).int(),
        np.zeros(4, np.int16),
        np.zeros((4, 4), np.float32).T,
    ],
)
def test_what_c_would_misread_is_refused(wrong: torch.Tensor | np.ndarray) -> None:
    with pytest.raises(TypeError, match="contiguous float32 or int64"):
        call("drop", wrong, None, wrong, 4, 0)
