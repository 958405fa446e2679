import numpy as np
import pytest
import torch
from grid import composed, encoders

from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.runs.assembly import Parts, assemble

NUM_ITEMS = 12
ROWS = Ragged.from_rows([[3, 1, 4, 7, 5, 9], [2, 6, 5], [3, 8]])._replace(timestamps=np.arange(11))


def parts_for(model: str) -> Parts:
    questions = EvalSet(np.arange(3), ROWS.trim(tail=1), ROWS)
    catalogue = Catalogue(num_items=NUM_ITEMS, train=ROWS, whole=ROWS)
    config = composed("max_length=8", f"model={model}", "task=last_item", "task.collator.random_end=false")
    return assemble(config, Split(ROWS, questions, questions), catalogue)


@pytest.mark.parametrize("model", encoders())
def test_the_query_that_is_trained_is_the_query_that_ranks(model: str) -> None:
    parts = parts_for(model)
    task = parts.task.eval()
    batch = parts.datamodule.collator(np.arange(3), ROWS)
    (question,) = parts.datamodule.test_dataloader()  # the same histories, the longest first
    trained, ranking = task.queries(batch), task.model.next_queries(question)
    torch.testing.assert_close(trained[batch.users.argsort()], ranking[question.users.argsort()])
    task.finetune(batch).backward()


@pytest.mark.parametrize("model", encoders())
def test_for_a_causal_encoder_it_is_the_state_at_the_target_position(model: str) -> None:
    task = parts_for(model).task.eval()
    if not task.model.causal:
        pytest.skip("a bidirectional encoder")
    batch = parts_for(model).datamodule.collator(np.arange(3), ROWS)
    torch.testing.assert_close(task.queries(batch), task.model.queries(batch))
