"""Rows of like length within a batch, so that little is computed on padding."""

from typing import NamedTuple

import numpy as np

WIDTH_STEP = 8  # columns; matrix kernels are compiled for each shape, so there had better be few (recsys.products)
SHARES = 8  # a part holds some of this many equal shares of a batch's rows, again so that there are few shapes
WORTH = 2048  # cells of padding that a cut has to save: about what encoding one more part costs on two cores


class Part(NamedTuple):
    """Some neighbouring rows of a batch. rows: which; width: columns they need; places: which of the N targets."""

    rows: slice
    width: int
    places: slice


def batch_width(longest: int, *, at_most: int) -> int:
    """Columns of a batch whose longest row has `longest` items: the next multiple of 8, but not above `at_most`."""
    return int(_stepped(longest, at_most=at_most))


def cut(lengths: np.ndarray, num_targets: np.ndarray, *, width: int) -> tuple[Part, ...]:
    """Cuts a batch of `width` columns into parts where that saves padding; rows [B] had best be sorted by length.

    num_targets: target positions in each row, [B].
    """
    widths = _stepped(np.maximum.accumulate(lengths), at_most=width)
    ends = np.concatenate([[0], np.cumsum(num_targets)]).tolist()
    places = np.unique([*range(0, len(lengths), -(-len(lengths) // SHARES)), len(lengths)])
    return tuple(
        Part(slice(start, stop), int(widths[stop - 1]), slice(ends[start], ends[stop]))
        for start, stop in _stretches(widths, places)
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
