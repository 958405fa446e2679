"""The machine and the code that a run's result depends on, and what the run took."""

import logging
import os
import platform
import resource
import subprocess
import warnings
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from recsys import __version__
from recsys.kernels.library import compiler

PACKAGES = ("torch", "pytorch-lightning", "hydra-core", "numpy", "pandas", "pyarrow")


def environment() -> dict[str, Any]:
    """Versions, machine and code state that a result depends on."""
    return {
        "python": platform.python_version(),
        "packages": {"recsys": __version__} | {name: version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "compiler": compiler(),
        "git": _git_revision(),
    }


def reset_peak_memory() -> None:
    """Starts the peak memory count anew, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_gb() -> float:
    """Peak resident memory of this process since the last reset, GiB."""
    try:
        status = Path("/proc/self/status").read_text()
        kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kib /= 1024 if platform.system() == "Darwin" else 1  # which counts bytes
    return round(kib / 2**20, 3)


def quiet_lightning() -> None:
    """Silences Lightning's remarks about devices, workers and loggers; its errors stay."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")


def _git_revision() -> str | None:
    """Commit of the code, `+changes` where the work tree differs from it; None outside a repository or without git."""
    command = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--dirty=+changes",
        "--abbrev=12",
        "--exclude=*",
    ]
    with suppress(FileNotFoundError):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None
    return None
