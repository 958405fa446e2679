"""Training on some of a user's items, the others being read as before."""

import numpy as np
import torch

from recsys.data.batches import TrainBatch
from recsys.data.collators.base import TrainCollator
from recsys.data.ragged import Ragged


class Restricted:
    """Batches of another collator in which only chosen pairs of user and item bear a loss.

    A batch in which none of them is a target (a cloze may hide others) is left as it is.
    collator: the other. pairs: [P] int64, user * num_items + item, ascending.
    """

    def __init__(self, collator: TrainCollator, *, pairs: np.ndarray, num_items: int) -> None:
        self.collator = collator
        self.pairs = torch.from_numpy(pairs)
        self.num_items = num_items

    def __call__(self, users: np.ndarray, rows: Ragged) -> TrainBatch:
        batch = self.collator(users, rows)
        chosen = torch.isin(batch.users[:, None] * self.num_items + batch.targets, self.pairs)  # [B, L]
        mask = batch.target_mask & chosen & (batch.targets < self.num_items)
        if not mask.any():
            return batch
        return batch._replace(target_mask=mask, places=mask.flatten().nonzero().squeeze(1), sizes=None)


def held_out_pairs(train: Ragged, whole: Ragged, *, num_items: int) -> np.ndarray:
    """Pairs of user and item, user * num_items + item, that the users' whole rows have and training has not."""
    there, trained = (rows.row_ids() * num_items + rows.flat().astype(np.int64) for rows in (whole, train))
    return np.setdiff1d(there, trained)
