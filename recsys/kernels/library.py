"""The C files beside this one, compiled for this machine when they are first needed, and kept."""

import ctypes
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from recsys.data.cache import cache_root

FOLDER = Path(__file__).parent
SOURCES = ("attention.c", "dropout.c", "gathered.c")
FLAGS = ("-O3", "-march=native", "-std=gnu11", "-fPIC", "-shared", "-fopenmp-simd", "-Wno-psabi")
WITHOUT = "attention and dropout go through torch's own operations, and training takes two to four times as long"

Argument = Tensor | int | ctypes.Structure | None


@cache
def library() -> ctypes.CDLL | None:
    """The compiled functions; None, with a warning, where there is no compiler or it fails."""
    command = compiler()
    if command is None:
        _warn("no C compiler was found; install one, or pip install 'recsys[compiler]'")
        return None
    try:
        return ctypes.CDLL(str(_compiled(command)))
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines() or [f"exit code {error.returncode}"]
        _warn(f"{shlex.join(command)} failed ({said[0]}); set CC to another C compiler")
    except OSError as error:
        _warn(f"{shlex.join(command)}: {error}; point RECSYS_CACHE to a writable folder, or CC to a C compiler")
    return None


def takes(x: Tensor) -> bool:
    """Whether compiled functions can be called with such a tensor here."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and library() is not None


def call(name: str, *arguments: Argument) -> int:
    """Calls a compiled function: contiguous tensors and structures are handed over as pointers to them, None as NULL.

    Other threads go on meanwhile.
    """
    compiled = library()
    assert compiled is not None
    return compiled[name](*map(_handed_over, arguments))


def compiler() -> list[str] | None:
    """The command that compiles: $CC, cc, or the one that the package ziglang brings; None where there is none."""
    command = shlex.split(os.environ.get("CC", "cc"))
    if command and shutil.which(command[0]):
        return command
    if "CC" not in os.environ and importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    return None


def _compiled(command: list[str]) -> Path:
    """The library's file, made if it isn't there. One for each version of compiler, processor and sources."""
    known = _output([*command, *FLAGS, "-dM", "-E", "-x", "c", os.devnull])  # what -march=native stands for is in it
    key = hashlib.sha256(known.encode())
    for file in sorted(FOLDER.glob("*.[ch]")):
        key.update(file.read_bytes())
    path = cache_root() / "kernels" / f"{key.hexdigest()[:16]}.so"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # processes side by side may all compile
            made = Path(folder, path.name)
            _output([*command, *FLAGS, *(str(FOLDER / name) for name in SOURCES), "-o", str(made), "-lm"])
            made.replace(path)
    return path


def _handed_over(argument: Argument) -> object:
    if argument is None:
        return ctypes.c_void_p()
    if isinstance(argument, Tensor):
        return ctypes.c_void_p(argument.data_ptr())
    return ctypes.c_int64(argument) if isinstance(argument, int) else ctypes.byref(argument)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _warn(what: str) -> None:
    warnings.warn(f"{what}: {WITHOUT}", stacklevel=3)
