import numpy as np
import pytest
import torch
from grid import composed

from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.runs.assembly import Parts, assemble

NUM_ITEMS = 12
ROWS = Ragged.from_rows([[3, 1, 4, 7, 5, 9], [2, 6, 5], [3, 8]])


def parts_for(*overrides: str) -> Parts:
    questions = EvalSet(np.arange(3), ROWS.trim(tail=1), ROWS)
    catalogue = Catalogue(num_items=NUM_ITEMS, train=ROWS, whole=ROWS)
    return assemble(composed("max_length=8", *overrides), Split(ROWS, questions, questions), catalogue)


def test_a_bidirectional_model_brings_the_cloze_task() -> None:
    parts = parts_for("model=bert4rec")
    (batch,) = parts.datamodule.train_dataloader()
    assert (batch.items[batch.target_mask] == NUM_ITEMS + 1).all()


def test_a_bidirectional_model_is_not_shown_its_targets() -> None:
    with pytest.raises(ValueError, match=r"BERT4Rec sees what follows a position.*set task=cloze or task=last_item"):
        parts_for("model=bert4rec", "task=next_item")


def test_a_model_that_never_ranks_at_a_mask_is_not_trained_at_masks() -> None:
    with pytest.raises(ValueError, match=r"SASRec does not rank by the state of a mask.*set task=next_item"):
        parts_for("model=sasrec", "task=cloze")


def test_training_on_the_last_mask_is_the_query_that_ranks() -> None:
    """One head: a row whose last item alone is hidden asks what ranking asks after the items before it."""
    parts = parts_for("model=bert4rec", "task.collator.last_only=1.0")
    model = parts.task.eval().model
    batch = parts.datamodule.collator(np.arange(3), ROWS)
    history = torch.from_numpy(ROWS.trim(tail=1).padded(5, NUM_ITEMS))
    torch.testing.assert_close(model.queries(batch), model.next_query(history))
