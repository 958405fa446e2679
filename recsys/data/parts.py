"""Parts of a batch: rows of like length, so that little is computed on padding, and work for two cores."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

WIDTH_STEP = 8  # columns; matrix kernels are compiled for each shape, so there had better be few (recsys.products)
SHARES = 8  # a part holds some of this many equal shares of a batch's rows, again so that there are few shapes
QUADRATIC = 400  # columns of which attention alone costs as much as the rest of a small Transformer
WORTH = 2048  # cells of padding that a cut has to save: about what encoding one more part costs on two cores


class Part(NamedTuple):
    """Some neighbouring rows of a batch.

    rows: which; width: columns they need; places: which of the N targets; cost: of encoding them, beside the others.
    """

    rows: slice
    width: int
    places: slice
    cost: int


class RowSizes:
    """Items and targets in each of a batch's rows, [B] and [B]: no tensors, so that they stay on the host."""

    def __init__(self, lengths: np.ndarray, *, num_targets: np.ndarray) -> None:
        self.lengths, self.num_targets = lengths, num_targets


def batch_width(longest: int, *, at_most: int) -> int:
    """Columns of a batch whose longest row has `longest` items: the next multiple of 8, but not above `at_most`."""
    return int(_stepped(longest, at_most=at_most))


def cut(sizes: RowSizes, *, width: int, packed: bool) -> tuple[Part, ...]:
    """Cuts a batch of `width` columns into parts; its rows had best be sorted by length.

    That is where it saves padding and, of a large batch, where half of the work is on either side, for two cores to
    share it. packed: whether the encoder computes nothing on padding, so that it is the second alone.
    """
    lengths = sizes.lengths
    widths = _stepped(np.maximum.accumulate(lengths), at_most=width)
    stretches = [(0, len(lengths))]
    if not packed:
        places = np.unique([*range(0, len(lengths), -(-len(lengths) // SHARES)), len(lengths)])
        stretches = _stretches(widths, places)
    work = np.concatenate([lengths if packed else _work(widths, *stretch) for stretch in stretches]).cumsum()
    ends = np.concatenate([[0], np.cumsum(sizes.num_targets)]).tolist()
    done = np.concatenate([[0], work]).tolist()
    return tuple(
        Part(
            rows=slice(start, stop),
            width=int(widths[stop - 1]),
            places=slice(ends[start], ends[stop]),
            cost=done[stop] - done[start],
        )
        for start, stop in _halved(stretches, work, step=max(1, len(lengths) // (4 if packed else 2) // SHARES))
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


def _work(widths: np.ndarray, start: int, stop: int) -> np.ndarray:
    """What encoding each of the rows takes, all as wide as the last, in cells of short rows: cells attend to cells."""
    width = int(widths[stop - 1])
    return np.full(stop - start, width * (QUADRATIC + width) // QUADRATIC)


def _halved(stretches: list[tuple[int, int]], work: np.ndarray, *, step: int) -> list[tuple[int, int]]:
    """One more cut, at a multiple of `step`, where it leaves half of the work on either side. work: up to each row."""
    if work[-1] < 2 * WORTH:
        return stretches
    half = step * round((int(work.searchsorted(work[-1] / 2)) + 1) / step)
    ends = sorted({0, half, len(work)} | {stop for _, stop in stretches})
    return list(pairwise(ends))
