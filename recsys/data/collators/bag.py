"""A user's items without order: each of them is a target."""

import numpy as np
import torch

from recsys.data.batches import TrainBatch
from recsys.data.collators.base import ids
from recsys.data.ragged import Ragged


class Bag:
    """Every item of a row stands at its own position as input and as target; none is cut off.

    For models that don't read the input at a position that asks for it: user vectors, autoencoders.
    """

    def __init__(self, *, num_items: int) -> None:
        self.pad = num_items

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch:
        items = ids(rows.padded(int(rows.lengths.max()), self.pad))  # [B, L]
        real = torch.arange(items.shape[1]) < torch.from_numpy(rows.lengths)[:, None]  # [B, L]
        return TrainBatch(ids(users), items, items, target_mask=real)
