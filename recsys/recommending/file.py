"""The file of recommendations, written a stretch of users at a time; all of it or nothing."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from recsys.data.sources.delimited import DELIMITERS
from recsys.evaluation.top_items import TopItems
from recsys.whole_files import written_whole


def check_writable(path: Path) -> None:
    """Raises ValueError where no file of that name can be written; nothing is left behind."""
    try:
        if path.is_dir():
            raise ValueError(f"out ({path}) is a directory; name a file that is none yet")
        with TemporaryFile(dir=next(folder for folder in path.absolute().parents if folder.exists())):
            pass
    except OSError as error:
        raise ValueError(f"out ({path}) can't be written there ({error.strerror}); choose another place") from error


class RecommendationFile:
    """Rows of user, item and, where wanted, score and title, best first; ids as in the user's own data.

    path: `.csv`, `.tsv` or `.parquet`; it appears when the block ends without an error. items: [V] raw ids.
    titles: [V], a title per item; None: no such column. scores: whether there is that column.
    """

    def __init__(self, path: Path, *, items: np.ndarray, titles: np.ndarray | None, scores: bool) -> None:
        self.path = path
        self.items = items
        self.titles = titles
        self.scores = scores
        self.writing = ExitStack()
        self.partial = path
        self.parquet: parquet.ParquetWriter | None = None
        self.started = False

    def __enter__(self) -> Self:
        self.partial = self.writing.enter_context(written_whole(self.path))
        return self

    def add(self, users: np.ndarray, top: TopItems) -> None:
        """Appends the lists of these users, raw ids [B]."""
        chosen = top.items.ravel()
        columns = {"user": np.repeat(users, top.items.shape[1]), "item": self.items[chosen]}
        if self.titles is not None:
            columns["title"] = self.titles[chosen]
        if self.scores:
            columns["score"] = top.scores.ravel()
        self._write(pd.DataFrame(columns))

    def _write(self, frame: pd.DataFrame) -> None:
        if self.path.suffix in DELIMITERS:
            mode = "a" if self.started else "w"
            separator = DELIMITERS[self.path.suffix]
            frame.to_csv(self.partial, mode=mode, header=not self.started, index=False, sep=separator)
        else:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            if self.parquet is None:
                self.parquet = self.writing.enter_context(parquet.ParquetWriter(self.partial, table.schema))
            self.parquet.write_table(table)
        self.started = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writing.__exit__(kind, error, trace)
