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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from recsys.cache import cache_root

FOLDER = Path(__file__).parent
SOURCES = tuple(path.name for path in sorted(FOLDER.glob("*.c")))
NATIVE = ("-march=native",)  # some compilers know it for some processors alone
FLAGS = ("-O3", "-std=gnu11", "-fPIC", "-shared", "-fopenmp-simd", "-fno-math-errno", "-Wno-psabi")
WITHOUT = (
    "attention, feed-forward layers, filters, dropout, softmax, cross-entropy, sigmoids, looked up rows, sampled "
    "losses, ranks, lazy Adam and large tables go through the operations of torch, numpy and Arrow, and training takes "
    "2 to 4 times as long"
)

TENSOR_TYPES, ARRAY_TYPES = (torch.float32, torch.int64), (np.float32, np.int64, np.int32, np.uint8)
Argument = Tensor | np.ndarray | int | ctypes.Structure | None
MOST_ARGUMENTS = 16  # threads.c's

_lock = Lock()
_found: list[ctypes.CDLL | None] = []  # what the first call made


def library() -> ctypes.CDLL | None:
    """The compiled functions; None, with a warning once, where there is no compiler or it fails."""
    with _lock:
        if not _found:
            _found.append(_load())
    return _found[0]


def compiler() -> str | None:
    """The command that compiles here; None where none does, so that other random numbers are drawn."""
    failed = bool(_found) and _found[0] is None
    return None if failed else next(map(shlex.join, compilers()), None)


def takes(x: Tensor) -> bool:
    """Whether compiled functions can be called with such a tensor here."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and library() is not None


def call(name: str, *arguments: Argument) -> int:
    """Calls a compiled function: tensors, arrays and structures are handed over as pointers to them, None as NULL.

    Tensors and arrays are contiguous, of float32 or int64, arrays of int32 or uint8 too. Other threads go on meanwhile.
    """
    compiled = library()
    assert compiled is not None
    return compiled[name](*(ctypes.c_int64(_handed_over(argument)) for argument in arguments))


def call_all(name: str, several: Sequence[Sequence[Argument]]) -> list[int]:
    """`call` of each of several lists of arguments, side by side on torch's threads; see `has_threads`."""
    compiled, count = library(), len(several)
    assert compiled is not None
    given = (ctypes.c_int64 * MOST_ARGUMENTS * count)(*(tuple(map(_handed_over, arguments)) for arguments in several))
    found = (ctypes.c_int64 * count)()
    compiled.side_by_side(compiled[name], ctypes.c_int64(count), given, found)
    return list(found)


def has_threads() -> bool:
    """Whether compiled functions run side by side by themselves: with the OpenMP library that torch brings."""
    compiled = library()
    return compiled is not None and bool(compiled.has_threads())


def require_memory(found: Iterable[int], *, what: str) -> None:
    """MemoryError where one of the calls of a function that says whether it found memory says that it did not."""
    if not all(found):
        raise MemoryError(f"no memory for {what}")


def compilers() -> Iterator[list[str]]:
    """Commands that compile: $CC if that is set, else cc and the compiler that the package ziglang brings."""
    command = shlex.split(os.environ.get("CC", "cc"))
    if command and shutil.which(command[0]):
        yield command
    if "CC" not in os.environ and importlib.util.find_spec("ziglang"):
        yield [sys.executable, "-m", "ziglang", "cc"]


def _load() -> ctypes.CDLL | None:
    """The library that the first of the compilers makes; None, with a warning, where none does."""
    problems = []
    for command in compilers():
        for native, threaded in product((NATIVE, ()), (_threaded(), ())):
            try:
                return _loaded([*command, *FLAGS, *native], threaded)
            except subprocess.CalledProcessError as error:
                problems.append(f"{shlex.join(command)} failed ({_said(error)}); set CC to another C compiler")
            except (OSError, RuntimeError) as error:
                problems.append(f"{shlex.join(command)}: {error}; point RECSYS_CACHE to a writable folder of yours")
    problem = (
        problems[0]
        if problems
        else "no C compiler was found; install one, or pip install -c constraints.txt -e '.[compiler]'"
    )
    warnings.warn(f"{problem}: {WITHOUT}", stacklevel=2)
    return None


def _threaded() -> tuple[str, ...]:
    """What has loops run on torch's own threads; no other library's, whose threads would stand in their way."""
    libraries = Path(torch.__file__).parent.glob("lib/libgomp*.so*")
    return next((("-fopenmp", "-Wl,--as-needed", str(path)) for path in libraries), ())


def _loaded(command: list[str], last: Sequence[str]) -> ctypes.CDLL:
    """The library that the command makes, from its file where that is there and whole.

    last: options that stand behind the files.
    """
    path = _own_folder() / f"{_key([*command, *last])}.so"
    with suppress(OSError):
        return ctypes.CDLL(str(path))
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # processes side by side may all compile
        made = Path(folder, path.name)
        _output([*command, *(str(FOLDER / name) for name in SOURCES), *last, "-o", str(made), "-lm"])
        made.replace(path)
    return ctypes.CDLL(str(path))


def _own_folder() -> Path:
    """Where libraries are kept; nobody else may write there, as what is there is run."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = cache_root() / "kernels" / str(user)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != user:
        raise PermissionError(f"{folder} belongs to another user")
    return folder


def _key(command: list[str]) -> str:
    """Of the command, what it takes the compiler and the processor to be, and the files."""
    known = _output([*command, "-dM", "-E", "-x", "c", os.devnull])  # -march=native is spelt out in it
    key = hashlib.sha256(f"{shlex.join(command)}\n{known}".encode())
    for file in sorted(FOLDER.glob("*.[ch]")):
        key.update(file.read_bytes())
    return key.hexdigest()[:16]


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", check=True).stdout


def _said(error: subprocess.CalledProcessError) -> str:
    """The line of a compiler's output that says most."""
    lines = [line for line in (error.stderr or "").splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[0] if lines else f"exit code {error.returncode}")


def _handed_over(argument: Argument) -> int:
    if argument is None:
        return 0
    if isinstance(argument, Tensor):
        _require_plain(argument, argument.stride(), plain=argument.is_contiguous() and argument.dtype in TENSOR_TYPES)
        return argument.data_ptr()
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        plain = flags.c_contiguous and flags.aligned and argument.dtype in ARRAY_TYPES
        _require_plain(argument, argument.strides, plain=plain)
        return argument.ctypes.data
    return argument if isinstance(argument, int) else ctypes.addressof(argument)


def _require_plain(argument: Tensor | np.ndarray, strides: tuple[int, ...], *, plain: bool) -> None:
    if not plain:
        raise TypeError(
            f"compiled functions take contiguous float32 or int64 (arrays: int32 and uint8 too), not {argument.dtype} "
            f"of shape {tuple(argument.shape)} and strides {strides}"
        )
