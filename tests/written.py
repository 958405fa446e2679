"""Files that tests write by hand and have read."""

import gzip
import re
from pathlib import Path

import pytest

from recsys.data.sources import Reader

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"  # header of an atomic file
NO_TIME = "is neither a number nor a date such as 2017-06-02 21:47:03"


def write(path: Path, text: str) -> Path:
    """A text file, gzipped where its name says so."""
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def assert_refused(reader: Reader, path: Path, text: str, message: str) -> None:
    """Reading the text raises a ValueError with exactly this message, the path in front."""
    with pytest.raises(ValueError, match=rf"^{re.escape(f'{path}{message}')}$"):
        reader.read(write(path, text))
