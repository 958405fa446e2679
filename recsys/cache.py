"""The folder for everything that can be made again."""

import os
from pathlib import Path


def cache_root() -> Path:
    """$RECSYS_CACHE, or ~/.cache/recsys."""
    return Path(os.environ.get("RECSYS_CACHE") or "~/.cache/recsys").expanduser()
