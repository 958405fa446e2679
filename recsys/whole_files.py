"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Gives the block a place beside `path` to write to, which takes its name where the block ends without an error.

    Readers find the old file or the new one, never half of it; a block that fails leaves the old one. Directories above
    are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")  # jobs of a grid may write one file at once
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
