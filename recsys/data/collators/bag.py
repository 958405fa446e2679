"""A user's items without order: each of them is a target."""

import numpy as np
import torch

from recsys.data.batches import TrainBatch
from recsys.data.collators.base import ids
from recsys.data.ragged import Ragged


class Bag:
    """Every item of a row is a target, none is cut off, and no input tells which.

    For models that know the user by a vector, or that read the targets as one bag. Inputs are `pad` throughout.
    """

    def __init__(self, *, num_items: int) -> None:
        self.pad = num_items

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch:
        targets = ids(rows.padded(int(rows.lengths.max()), self.pad))  # [B, L]
        return TrainBatch.of(ids(users), torch.full_like(targets, self.pad), targets, target_mask=targets != self.pad)
