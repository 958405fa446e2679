import numpy as np
import pytest
import torch
from grid import composed
from pytorch_lightning import Trainer

from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.runs.assembly import assemble
from recsys.tasks.schedules import Horizon

NUM_ITEMS = 12


def ragged_split(num_users: int) -> Split:
    rng = np.random.default_rng(0)
    rows = Ragged.from_rows([rng.permutation(NUM_ITEMS)[: rng.integers(3, 11)].tolist() for _ in range(num_users)])
    questions = EvalSet(
        np.arange(num_users),
        rows.trim(tail=1),
        Ragged(rows.values, rows.starts + rows.lengths - 1, rows.lengths * 0 + 1),
    )
    return Split(rows, questions, questions)


def parts_for(num_users: int, *overrides: str):
    config = composed("max_length=10", "model.dropout=0.0", *overrides)
    split = ragged_split(num_users)
    return assemble(config, split, Catalogue(num_items=NUM_ITEMS, train=split.train, whole=split.train))


@pytest.mark.parametrize("num_users", [60, 61])
@pytest.mark.parametrize("batch_size", [4, 7, 61])
def test_the_epoch_loss_is_a_mean_over_positions(num_users: int, batch_size: int) -> None:
    """The baseline averaged over batches: a last batch of one row counted as much as a full one."""
    torch.manual_seed(1)
    parts = parts_for(num_users, f"batch_size={batch_size}", "optimizer.lr=0.0")
    with torch.no_grad():
        whole = parts.datamodule.collator(np.arange(num_users), parts.datamodule.split.train)
        expected = parts.task.finetune(whole)
    trainer = Trainer(
        max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        accelerator="cpu", limit_val_batches=0,
    )  # fmt: skip
    trainer.fit(parts.task, datamodule=parts.datamodule)
    assert trainer.callback_metrics["train/loss"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_padding_bears_no_loss_and_no_gradient() -> None:
    parts = parts_for(4)
    items, targets = torch.tensor([[1, 2, 3]]), torch.tensor([[2, 3, 4]])
    tight = TrainBatch.of(torch.tensor([0]), items, targets, target_mask=torch.ones(1, 3, dtype=torch.bool))
    pad = torch.full((1, 4), NUM_ITEMS)
    wider = {"items": torch.cat([items, pad], 1), "targets": torch.cat([targets, pad], 1)}
    loose = TrainBatch.of(torch.tensor([0]), **wider, target_mask=torch.arange(7)[None] < 3)
    losses, gradients = [], []
    for batch in (tight, loose):
        parts.task.zero_grad()
        loss = parts.task.finetune(batch)
        loss.backward()
        losses.append(loss.detach())
        gradients.append([p.grad.clone() for p in parts.task.parameters() if p.grad is not None])
    torch.testing.assert_close(*losses)
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def test_the_pad_row_stays_zero() -> None:
    """The baseline re-randomised it, and training moved it."""
    parts = parts_for(30)
    optimizer = torch.optim.Adam(parts.task.parameters(), lr=0.1)
    for batch in parts.datamodule.train_dataloader():
        optimizer.zero_grad()
        parts.task.finetune(batch).backward()
        optimizer.step()
    assert parts.task.model.embedding.weight[NUM_ITEMS].abs().sum() == 0


def test_all_layers_frozen_is_one_clear_error() -> None:
    parts = parts_for(4)
    parts.task.requires_grad_(False)
    with pytest.raises(ValueError, match="every parameter is frozen"):
        parts.task.optimization(Horizon(step=1, epoch=1))
