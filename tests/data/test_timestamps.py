"""Times travel with the items they belong to, from the sequences to the batch."""

import numpy as np
import pandas as pd
import pytest
import torch

from recsys.data.collators import Cloze, Evaluation, LastItem, NextItem, TrainCollator
from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.splits import LeaveOneOut

PAD = 40
FRAME = pd.DataFrame({"user": [*"a" * 7, *"b" * 4], "item": range(11), "timestamp": np.arange(11) * 100.0 + 5})


def sequences() -> UserSequences:
    """Item i came at second 100 i + 5."""
    return UserSequences.from_frame(FRAME, name="toy")


@pytest.mark.parametrize("collator", [kind(num_items=PAD, max_length=3) for kind in (NextItem, LastItem)])
def test_training_inputs_come_with_their_times(collator: TrainCollator) -> None:
    batch = collator(np.arange(2), LeaveOneOut()(sequences()).train)
    assert batch.timestamps is not None
    assert torch.equal(batch.timestamps, torch.where(batch.items == PAD, 0, batch.items * 100 + 5))


def test_hidden_items_keep_their_times() -> None:
    batch = Cloze(num_items=PAD, max_length=3)(np.arange(2), LeaveOneOut()(sequences()).train)
    assert batch.timestamps is not None
    assert torch.equal(batch.timestamps, torch.where(batch.targets == PAD, 0, batch.targets * 100 + 5))


def test_questions_come_with_the_times_of_their_inputs() -> None:
    batch = Evaluation(LeaveOneOut()(sequences()).test, num_items=PAD, max_length=4)(np.arange(2))
    assert batch.timestamps is not None
    assert batch.timestamps.tolist() == [[205, 305, 405, 505], [705, 805, 905, 0]]


def test_data_without_times_gives_none() -> None:
    rows = Ragged.from_rows([[1, 2, 3]])
    assert NextItem(num_items=PAD, max_length=3)(np.arange(1), rows).timestamps is None
