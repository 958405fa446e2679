"""Rows of different lengths over one flat array."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Ragged(NamedTuple):
    """Rows of different lengths over one flat array: row `r` is `values[starts[r] : starts[r] + lengths[r]]`.

    Rows may overlap and need not cover `values`, so a split is a view (other starts and lengths over the same,
    possibly memory-mapped, values) and copies nothing. Where times are known, every view carries them along.
    """

    values: np.ndarray  # [M], any dtype
    starts: np.ndarray  # [R] int64
    lengths: np.ndarray  # [R] int64, >= 0
    timestamps: np.ndarray | None = None  # [M] seconds, when each value came about

    @classmethod
    def from_lengths(cls, values: np.ndarray, lengths: np.ndarray) -> "Ragged":
        """Rows laid end to end."""
        lengths = np.asarray(lengths, dtype=np.int64)
        return cls(values, np.cumsum(lengths) - lengths, lengths)

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[int]]) -> "Ragged":
        """Rows given one by one; for tests and small inputs."""
        flat = np.array([value for row in rows for value in row], dtype=np.int64)
        return cls.from_lengths(flat, np.array([len(row) for row in rows], dtype=np.int64))

    @property
    def num_rows(self) -> int:
        return len(self.starts)

    def row(self, index: int) -> np.ndarray:
        """Row `index` as an array."""
        start = self.starts[index]
        return self.values[start : start + self.lengths[index]]

    def take(self, rows: np.ndarray) -> "Ragged":
        """The given rows, as a view."""
        return self._replace(starts=self.starts[rows], lengths=self.lengths[rows])

    def trim(self, *, head: int = 0, tail: int = 0) -> "Ragged":
        """Every row without its first `head` and last `tail` values; a row too short becomes empty."""
        return self._replace(starts=self.starts + head, lengths=np.maximum(self.lengths - head - tail, 0))

    def last(self, size: int) -> "Ragged":
        """The last `size` values of every row (the whole row where it is shorter)."""
        kept = np.minimum(self.lengths, size)
        return self._replace(starts=self.starts + self.lengths - kept, lengths=kept)

    def flat(self) -> np.ndarray:
        """The rows laid end to end, [sum(lengths)]."""
        return self.values[self.positions()]

    def positions(self) -> np.ndarray:
        """Index into `values` of every element, row after row, [sum(lengths)]."""
        ends = np.cumsum(self.lengths)
        return np.arange(ends[-1] if len(ends) else 0) + np.repeat(self.starts - (ends - self.lengths), self.lengths)

    def row_ids(self) -> np.ndarray:
        """Row number of every element, row after row, [sum(lengths)]."""
        return np.repeat(np.arange(self.num_rows), self.lengths)

    def padded(self, width: int, fill: int) -> np.ndarray:
        """The last `width` values of every row, left-aligned in a matrix [R, width] filled with `fill`."""
        rows = self.last(width)
        columns = np.arange(width)
        valid = columns < rows.lengths[:, None]  # [R, width]
        source = np.where(valid, rows.starts[:, None] + columns, 0)
        if len(self.values) == 0:
            return np.full(source.shape, fill, dtype=self.values.dtype)
        return np.where(valid, self.values[source], fill)
