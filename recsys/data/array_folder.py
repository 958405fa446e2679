"""Arrays and a few facts in one folder that is either complete or not used."""

import errno
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

_META = "meta.json"


def save_arrays(folder: Path, arrays: Mapping[str, np.ndarray], facts: Callable[[], Mapping[str, Any]]) -> None:
    """Write `NAME.npy` for each array and `meta.json` with the facts, replacing the folder in one step.

    facts: called once the arrays are written, so that they can be found out meanwhile.
    """
    with _replacing(folder) as scratch:
        for name, array in arrays.items():
            np.save(scratch / f"{name}.npy", array, allow_pickle=False)
        sizes = {name: (scratch / f"{name}.npy").stat().st_size for name in arrays}
        (scratch / _META).write_text(json.dumps({"facts": dict(facts()), "sizes": sizes}, indent=1))


def load_arrays(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays, memory-mapped read-only, and the facts.

    Raises FileNotFoundError where there is no such folder, and ValueError where it is incomplete.
    """
    meta = json.loads((folder / _META).read_text())  # json.JSONDecodeError is a ValueError
    for name, size in meta["sizes"].items():
        found = (folder / f"{name}.npy").stat().st_size
        if found != size:
            raise ValueError(f"{folder / name}.npy must have {size:,} bytes, got {found:,}; delete the folder")
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in meta["sizes"]}
    return arrays, meta["facts"]


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` at the end, or vanishes where writing fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        fresh, stale = Path(scratch) / "fresh", Path(scratch) / "stale"
        fresh.mkdir()
        yield fresh
        with suppress(FileNotFoundError):  # there is none, or another process is replacing it too
            folder.rename(stale)
        try:
            fresh.rename(folder)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            # Another process has put its own there in the meantime: one of the two has to win.
