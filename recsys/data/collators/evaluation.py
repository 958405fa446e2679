"""Evaluation batches: a history, what it should be followed by, and what has been seen."""

import numpy as np

from recsys.data.batches import EvalBatch
from recsys.data.collators.base import ids, times
from recsys.data.parts import batch_width
from recsys.data.splits import EvalSet


class Evaluation:
    """Makes evaluation batches: the last `max_length` items as input, all items of the input as seen."""

    def __init__(self, questions: EvalSet, *, num_items: int, max_length: int) -> None:
        self.questions = questions
        self.pad = num_items
        self.max_length = max_length

    def __call__(self, index: np.ndarray) -> EvalBatch:
        """`index` [B]: rows of the evaluation set."""
        users, inputs, targets = self.questions
        inputs, targets = inputs.take(index), targets.take(index)
        width = batch_width(int(inputs.lengths.max()), at_most=self.max_length)
        return EvalBatch(
            users=ids(users[index]),
            items=ids(inputs.padded(width, self.pad)),
            targets=ids(targets.padded(int(targets.lengths.max()), -1)),
            seen_rows=ids(inputs.row_ids()),
            seen_items=ids(inputs.flat()),
            timestamps=times(inputs, width),
        )
