"""Users as bags of items: which items, not when and not how often. U users, V items."""

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue


def training_bags(catalogue: Catalogue) -> csr_array:
    """The training rows as a sparse matrix of 0 and 1, [U, V]."""
    rows = catalogue.train
    ones = np.ones(int(rows.lengths.sum()), dtype=np.float32)
    bags = csr_array((ones, (rows.row_ids(), rows.flat())), shape=(rows.num_rows, catalogue.num_items))
    bags.sum_duplicates()
    bags.data[:] = 1
    return bags


def co_occurrence(catalogue: Catalogue) -> Tensor:
    """How many users have both items in training, [V, V]; on the diagonal those who have the item."""
    bags = training_bags(catalogue)
    return torch.from_numpy((bags.T @ bags).toarray())


def seen_bags(batch: EvalBatch, num_items: int) -> Tensor:
    """Whole input histories as rows of 0 and 1, [B, V]."""
    bags = torch.zeros(len(batch.users), num_items, device=batch.users.device)
    bags[batch.seen_rows, batch.seen_items] = 1
    return bags


def target_bags(batch: TrainBatch, num_items: int) -> Tensor:
    """A training batch's targets as rows of 0 and 1, [B, V]."""
    bags = torch.zeros(len(batch.users), num_items, device=batch.users.device)
    bags[batch.rows, batch.positives] = 1
    return bags
