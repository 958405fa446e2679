"""The one place where our ids meet RecBole's. V items.

Ours are 0..V-1 with V for padding; RecBole's are 1..V with 0 for padding. Users have no padding here, and row 0 of
RecBole's user tables is nobody's.
"""

from typing import TypeVar

import numpy as np
from torch import Tensor

Ids = TypeVar("Ids", Tensor, np.ndarray)


def to_recbole(ids: Ids) -> Ids:
    """Users, or items without padding."""
    return ids + 1


def padded_to_recbole(items: Tensor, *, num_items: int) -> Tensor:
    """Rows of items, padded with V -> the same padded with 0."""
    return (items + 1) % (num_items + 1)


def scores_from_recbole(scores: Tensor, *, num_items: int) -> Tensor:
    """Scores [B, V + 1 or more] in RecBole's order of items, padding first (and perhaps a mask last) -> [B, V]."""
    return scores[:, 1 : num_items + 1]
