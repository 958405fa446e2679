"""A catalogue of sixty items and thirty users, and what they are asked."""

import numpy as np
import torch

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue

V, U = 60, 30


def question(catalogue: Catalogue, users: list[int], *, num_targets: int = 1) -> EvalBatch:
    """Asks for the last items; the model reads the last 2 of the others."""
    rows = catalogue.whole.take(np.array(users))
    inputs, targets = rows.trim(tail=num_targets), rows.last(num_targets).padded(num_targets, -1)
    return EvalBatch(
        users=torch.tensor(users),
        items=torch.from_numpy(np.pad(inputs.padded(2, V), ((0, 0), (0, 1)), constant_values=V)),
        targets=torch.from_numpy(np.pad(targets, ((0, 0), (0, 1)), constant_values=-1)),
        seen_rows=torch.from_numpy(inputs.row_ids()),
        seen_items=torch.from_numpy(inputs.flat()),
    )
