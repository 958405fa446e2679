"""Rows of like length within a batch, so that little is computed on padding."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

WIDTH_STEP = 8  # columns; matrix kernels are compiled for each shape, so there had better be few (recsys.products)
SHARES = 8  # a part holds some of this many equal shares of a batch's rows, again so that there are few shapes
QUADRATIC = 400  # columns of which attention alone costs as much as the rest of a small Transformer
WORTH = 2048  # cells of padding that a cut has to save: about what encoding one more part costs on two cores


class Part(NamedTuple):
    """Some neighbouring rows of a batch. rows: which; width: columns they need; places: which of the N targets."""

    rows: slice
    width: int
    places: slice


def batch_width(longest: int, *, at_most: int) -> int:
    """Columns of a batch whose longest row has `longest` items: the next multiple of 8, but not above `at_most`."""
    return int(_stepped(longest, at_most=at_most))


def cost(num_rows: int, width: int) -> int:
    """What encoding that many rows takes, in cells of short rows: a cell attends to the others of its row."""
    return num_rows * width * (QUADRATIC + width) // QUADRATIC


def cut(lengths: np.ndarray, num_targets: np.ndarray, *, width: int) -> tuple[Part, ...]:
    """Cuts a batch of `width` columns into parts where that saves padding; rows [B] had best be sorted by length.

    A large batch is also cut where half of its work is on either side, so that two cores can share it.

    num_targets: target positions in each row, [B].
    """
    widths = _stepped(np.maximum.accumulate(lengths), at_most=width)
    ends = np.concatenate([[0], np.cumsum(num_targets)]).tolist()
    places = np.unique([*range(0, len(lengths), -(-len(lengths) // SHARES)), len(lengths)])
    stretches = _halved(_stretches(widths, places), widths)
    return tuple(
        Part(slice(start, stop), int(widths[stop - 1]), slice(ends[start], ends[stop])) for start, stop in stretches
    )


def _stepped(lengths: int | np.ndarray, *, at_most: int) -> np.ndarray:
    return np.minimum(-(-np.maximum(lengths, 1) // WIDTH_STEP) * WIDTH_STEP, at_most)


def _stretches(widths: np.ndarray, places: np.ndarray) -> list[tuple[int, int]]:
    """Cuts rows places[0]..places[-1] where it saves most, and both sides again, while that is worth it."""
    start, stop = int(places[0]), int(places[-1])
    saved = (places - start) * (widths[stop - 1] - widths[places - 1])  # by a cut at each place
    saved[0] = 0
    best = int(saved.argmax())
    if saved[best] < WORTH:
        return [(start, stop)]
    return _stretches(widths, places[: best + 1]) + _stretches(widths, places[best:])


def _halved(stretches: list[tuple[int, int]], widths: np.ndarray) -> list[tuple[int, int]]:
    """One more cut, at half a share's precision, where it leaves half of the work on either side."""
    work = np.concatenate([np.full(stop - start, cost(1, int(widths[stop - 1]))) for start, stop in stretches]).cumsum()
    if work[-1] < 2 * WORTH:
        return stretches
    step = max(1, len(widths) // (2 * SHARES))
    half = step * round((int(work.searchsorted(work[-1] / 2)) + 1) / step)
    ends = sorted({0, half, len(widths)} | {stop for _, stop in stretches})
    return list(pairwise(ends))
