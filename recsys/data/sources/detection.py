"""Which reader a file or a folder calls for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from recsys.data.sources.atomic import AtomicFile
from recsys.data.sources.movielens import MovieLensRatings
from recsys.data.sources.sequence_text import SequenceText


class Reader(Protocol):
    """What reads one file format. Its attributes are its options: a change of one makes a cache stale."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """File names it recognises, relative to a folder; the first match wins."""
        ...

    def read(self, path: Path) -> pd.DataFrame:
        """The file as an interactions frame."""
        ...


# Formats that need no column names to be read. Sequence text is last: any text file looks like it.
READERS: tuple[Reader, ...] = (AtomicFile(), MovieLensRatings(), SequenceText())


def detect(path: Path, readers: Sequence[Reader] = READERS) -> tuple[Reader, Path]:
    """The first reader that recognises `path`, or a file inside it if it is a folder; and that file.

    Raises ValueError where no reader does, and where a pattern matches several files of the folder.
    """
    for reader in readers:
        file = find_file(path, reader)
        if file is not None:
            return reader, file
    known = ", ".join(pattern for reader in readers for pattern in reader.patterns)
    raise ValueError(
        f"{path} is in no known format: {_contents(path)}, and none of {known}; rename the file, or read "
        f"another table with data=csv data.path=FILE"
    )


def find_file(path: Path, reader: Reader) -> Path | None:
    """The file that the reader recognises: `path` itself or a file inside it; None where there is none.

    Raises ValueError where a pattern matches several files of the folder.
    """
    for pattern in reader.patterns:
        if not path.is_dir():
            if path.match(pattern):
                return path
            continue
        files = sorted(file for file in path.glob(pattern) if file.is_file())
        if len(files) > 1:
            names = ", ".join(file.name for file in files)
            raise ValueError(f"{path} holds several {pattern} files ({names}); name one as data.path=FILE")
        if files:
            return files[0]
    return None


def _contents(path: Path) -> str:
    if not path.is_dir():
        return f"its name is {path.name!r}"
    names = sorted(file.name for file in path.iterdir())
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    return f"it holds {listed or 'nothing'}"
