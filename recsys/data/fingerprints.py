"""What identifies data: the same on any machine."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def fingerprint(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of names, types and bytes, in little-endian order whatever the machine's."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(f"{name} {array.dtype.str} {len(array)}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def file_fingerprint(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
