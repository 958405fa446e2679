"""Does training teach? On a catalogue whose next item is certain, every encoder must rank it first."""

import pytest
import torch
from grid import composed, encoders, options, point

from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.evaluation import evaluate
from recsys.runs.assembly import Parts, assemble

NUM_ITEMS = 10
NUM_USERS = 4 * NUM_ITEMS


def cycle_split() -> Split:
    """Users who walk round the catalogue, i then i + 1, from every start."""
    rows = Ragged.from_rows([[(start + step) % NUM_ITEMS for step in range(8)] for start in range(NUM_USERS)])
    last = rows.trim(head=7)
    questions = EvalSet(torch.arange(NUM_USERS).numpy(), rows.trim(tail=1), last)
    return Split(rows.trim(tail=1), questions, questions)


CATALOGUE = Catalogue(num_items=NUM_ITEMS, train=cycle_split().train, whole=cycle_split().train)


def learn(parts: Parts, optimizer: torch.optim.Optimizer, *, steps: int) -> None:
    loader = parts.datamodule.train_dataloader()
    for _ in range(steps):
        for batch in loader:
            optimizer.zero_grad()
            parts.task.finetune(batch).backward()
            optimizer.step()


@pytest.mark.parametrize("loss", options("loss"))
@pytest.mark.parametrize("model", encoders())
def test_every_encoder_learns_the_cycle_with_every_loss(model: str, loss: str) -> None:
    # rows are longer than max_length, so that every position that ranks has been trained
    config = point(model, loss, "full", "max_length=6", "batch_size=64")
    if "dropout" in config.model:
        config.model.dropout = 0.0
    parts = assemble(config, cycle_split(), CATALOGUE)
    optimizer = torch.optim.Adam(parts.task.parameters(), lr=0.002)
    loader = parts.datamodule.test_dataloader()
    for _ in range(20):
        learn(parts, optimizer, steps=20)
        result = evaluate(parts.task.eval(), loader, protocol=parts.protocol, metrics=parts.metrics)
        if result.summary["hr@1"] == 1.0:
            break
        parts.task.train()
    assert result.summary["hr@1"] == 1.0


@pytest.mark.parametrize(
    ("loss", "sampler"),
    [*((loss, "uniform") for loss in options("loss")), *(("bpr", sampler) for sampler in options("sampler"))],
)
def test_a_point_of_the_grid_is_what_its_overrides_compose(loss: str, sampler: str) -> None:
    whole = composed("model=gru4rec", f"loss={loss}", f"sampler={sampler}", "max_length=8")
    assert point("gru4rec", loss, sampler, "max_length=8") == whole


@pytest.mark.parametrize("sampler", options("sampler"))
@pytest.mark.parametrize("loss", options("loss"))
@pytest.mark.parametrize("model", encoders())
def test_every_point_of_the_grid_trains_and_ranks(model: str, loss: str, sampler: str) -> None:
    config = point(model, loss, sampler, "max_length=8")
    parts = assemble(config, cycle_split(), CATALOGUE)
    learn(parts, torch.optim.Adam(parts.task.parameters()), steps=2)
    loader = parts.datamodule.test_dataloader()
    result = evaluate(parts.task.eval(), loader, protocol=parts.protocol, metrics=parts.metrics)
    assert len(result.per_user) == NUM_USERS
    assert 0 <= result.summary["ndcg@10"] <= 1
