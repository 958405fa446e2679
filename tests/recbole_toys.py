"""A catalogue of twelve items, RecBole's models of it and what is asked of them."""

import numpy as np
import torch

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators import Evaluation
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet
from recsys.models.recbole import RecBoleModel

NUM_ITEMS, LENGTH = 12, 4
ROWS = Ragged.from_rows([[3, 1, 4, 7, 5], [2, 8], [9], [0, 1, 2, 3, 4, 6]])
CATALOGUE = Catalogue(num_items=NUM_ITEMS, train=ROWS)


def make(name: str, catalogue: Catalogue = CATALOGUE, **params: object) -> RecBoleModel:
    torch.manual_seed(0)
    return RecBoleModel(catalogue, name=name, max_length=LENGTH, params=params)


def ask(rows: Ragged = ROWS) -> EvalBatch:
    """What follows each row?"""
    questions = EvalSet(np.arange(rows.num_rows), rows, rows.last(1))
    return Evaluation(questions, num_items=NUM_ITEMS, max_length=LENGTH)(np.arange(rows.num_rows))
