"""How many scores of a row are above others, which is what ranks are made of."""

import torch
from torch import Tensor

from recsys.kernels.library import takes
from recsys.parallel import call_each, even_ranges

_SORT_ABOVE = 150  # targets per row above which one sort of the catalogue beats two sweeps per target
CELL = 256  # comparisons that take about as long as a cell of an encoder


def counts(scores: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
    """Scores [B, V] above each threshold [B, T] of their row, and those at or above it: [B, T] int each.

    ValueError where a score is NaN. In C where it is compiled, which reads each row from memory once.
    """
    if takes(scores):
        return _compiled(scores.detach().contiguous(), thresholds.detach().contiguous())
    bad_rows = scores.amax(dim=1).isnan()  # the maximum of a row with a NaN is NaN: one cheap pass
    _refuse_nan(scores, bad_rows)
    return (_by_sorting if thresholds.shape[1] > _SORT_ABOVE else _by_comparing)(scores, thresholds)


def _compiled(scores: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
    greater, at_least = (torch.empty(thresholds.shape, dtype=torch.int64) for _ in range(2))
    strange = torch.empty(len(scores), dtype=torch.int64)
    given = (scores.shape[1], thresholds.shape[1], scores, thresholds, greater, at_least, strange)
    parts = even_ranges(len(scores), step=1, cells=scores.numel() * thresholds.shape[1] // CELL)
    call_each("count_above", [(*rows, *given) for rows in parts])
    _refuse_nan(scores, strange > 0)
    return greater, at_least


def _refuse_nan(scores: Tensor, bad_rows: Tensor) -> None:
    if bad_rows.any():
        row = int(bad_rows.nonzero()[0])
        column = int(scores[row].isnan().nonzero()[0])
        raise ValueError(
            f"scores must be numbers to be ranked, got NaN in row {row}, first at column {column}; "
            "look for a diverged training (learning rate, loss) or missing values in the model's input."
        )


def _by_comparing(scores: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
    """One sweep of the catalogue per count."""
    flags = torch.empty_like(scores, dtype=torch.float32)  # summing floats is 5 times faster than bools
    columns = thresholds.unsqueeze(2).unbind(1)  # T times [B, 1]
    greater = [torch.gt(scores, column, out=flags).sum(1) for column in columns]
    at_least = [torch.ge(scores, column, out=flags).sum(1) for column in columns]
    return torch.stack(greater, dim=1), torch.stack(at_least, dim=1)


def _by_sorting(scores: Tensor, thresholds: Tensor) -> tuple[Tensor, Tensor]:
    """One sort, whose cost hardly depends on T."""
    ordered = scores.sort(dim=1).values
    not_greater = torch.searchsorted(ordered, thresholds, right=True)
    smaller = torch.searchsorted(ordered, thresholds)
    return scores.shape[1] - not_greater, scores.shape[1] - smaller
