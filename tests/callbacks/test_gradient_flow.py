"""Gradient norms against those that autograd gives by hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from grid import composed
from pytorch_lightning import Trainer
from torch import nn

from recsys.callbacks import GradientFlow
from recsys.callbacks.gradient_flow import time_step_norms
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.runs.assembly import Parts, assemble


def parts_for(*overrides: str) -> Parts:
    rows = Ragged.from_rows([[(user + step) % 6 for step in range(3 + user % 4)] for user in range(12)])
    questions = EvalSet(np.arange(12), rows.trim(tail=1), rows.trim(head=2))
    config = composed("max_length=5", "batch_size=4", "model.dim=8", "model.dropout=0.0", *overrides)
    return assemble(config, Split(rows, questions, questions), Catalogue(num_items=6, train=rows, whole=rows))


def fit(parts: Parts, directory: Path, *, every_n_epochs: int = 1, **settings: float) -> pd.DataFrame:
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    callback = GradientFlow(directory=str(directory), every_n_epochs=every_n_epochs)
    settings = {"max_epochs": 1, "limit_val_batches": 0} | settings
    trainer = Trainer(accelerator="cpu", callbacks=[callback], **quiet, **settings)  # pyright: ignore
    trainer.fit(parts.task, datamodule=parts.datamodule)
    assert not callback.hooks
    return pd.read_csv(directory / "gradient_flow.csv")


def first_batch(parts: Parts) -> TrainBatch:
    return next(iter(parts.datamodule.train_dataloader()))


def test_parameters(tmp_path: Path):
    parts = parts_for("model=sasrec")
    parts.task.finetune(first_batch(parts)).backward()
    model = parts.task.get_submodule("model")
    by_hand = {
        name: sum(float(p.grad.square().sum()) for p in layer.parameters(recurse=False)) ** 0.5  # pyright: ignore
        for name, layer in model.named_modules()
        if list(layer.parameters(recurse=False))
    }
    parts.task.zero_grad()
    table = fit(parts, tmp_path, gradient_clip_val=1e-6)
    norms = table[table["position"].isna()].set_index("layer")["norm"]
    assert norms.to_dict() == pytest.approx(by_hand, rel=1e-4)


def states(model: nn.Module, name: str, found: list[torch.Tensor]) -> Iterator[None]:
    """While open, keeps the output of a layer with its gradient."""

    def keep(layer: nn.Module, _: object, output: torch.Tensor | tuple) -> None:
        state = output[0] if isinstance(output, tuple) else output
        state.retain_grad()
        found.append(state)

    hook = model.get_submodule(name).register_forward_hook(keep)
    yield
    hook.remove()


@pytest.mark.parametrize(
    ("model", "layer"), [("sasrec", "norm"), ("sasrec", "transformer.blocks.0"), ("gru4rec", "gru")]
)
def test_time_steps(model: str, layer: str, tmp_path: Path):
    parts = parts_for(f"model={model}")
    batch, found = first_batch(parts), []
    for _ in states(parts.task.get_submodule("model"), layer, found):
        parts.task.finetune(batch).backward()
    gradient, real = found[0].grad, batch.target_mask  # [B, L, D], or of packed rows [N, D], and [B, L]
    if gradient.dim() == 2:
        gradient = torch.zeros(*real.shape, gradient.shape[1]).masked_scatter(real[..., None], gradient)
    norms = gradient.norm(dim=2)  # [B, L]
    assert not real.all(), "the batch should have padding"
    longest = int(real.any(0).sum())
    by_hand = [float(norms[real[:, t], t].square().mean().sqrt()) for t in range(longest)]
    parts.task.zero_grad()
    table = fit(parts, tmp_path)
    rows = table[(table["layer"] == layer) & table["position"].notna()]
    assert rows["position"].tolist() == list(range(longest))
    assert rows["norm"].tolist() == pytest.approx(by_hand, rel=1e-4)


def test_rows_count_up_to_their_last_gradient():
    gradient = torch.tensor([[[3.0, 4.0], [0.0, 0.0], [0.0, 2.0]], [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]])
    assert time_step_norms([gradient]) == pytest.approx([13**0.5, 0.0, 2.0])  # (25 + 1) / 2; 0 / 1; 4 / 1


def test_a_batch_in_parts_is_one_batch():
    gradient = torch.randn(5, 6, 3)
    gradient[:2, 4:] = 0  # the first part needs fewer columns
    assert time_step_norms([gradient[:2, :4], gradient[2:]]) == pytest.approx(time_step_norms([gradient]))


def test_a_recurrence_with_a_small_weight_forgets(tmp_path: Path):
    """With the loss at the last step and a recurrent weight of 0.1, each step back loses nine tenths."""
    hidden = nn.RNN(1, 1, batch_first=True, nonlinearity="relu", bias=False)
    for weight, value in zip(hidden.parameters(), (1.0, 0.1), strict=True):
        nn.init.constant_(weight, value)
    x = torch.ones(1, 5, 1, requires_grad=True)
    hidden(x)[0][:, -1].sum().backward()
    assert x.grad is not None
    assert time_step_norms([x.grad]) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])


def test_epochs_are_chosen_and_drawn(tmp_path: Path):
    table = fit(parts_for(), tmp_path, every_n_epochs=2, max_epochs=4)
    assert sorted(set(table["epoch"])) == [0, 2]
    assert (tmp_path / "gradient_flow.png").read_bytes()[1:4] == b"PNG"


def test_frozen_layers_have_no_line(tmp_path: Path):
    parts = parts_for()
    parts.task.get_submodule("model.embedding").requires_grad_(False)
    table = fit(parts, tmp_path)
    assert "embedding" not in set(table["layer"])
    assert "transformer.blocks.0" in set(table["layer"])


def test_training_is_the_same_with_it(tmp_path: Path):
    weights = []
    for callbacks in ([GradientFlow(directory=str(tmp_path))], []):
        torch.manual_seed(3)
        parts = parts_for("model.dropout=0.5")
        quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
        trainer = Trainer(max_epochs=2, accelerator="cpu", callbacks=callbacks, limit_val_batches=0, **quiet)  # pyright: ignore
        trainer.fit(parts.task, datamodule=parts.datamodule)
        weights.append(torch.cat([parameter.detach().flatten() for parameter in parts.task.parameters()]))
    assert torch.equal(*weights)


def test_every_n_epochs_must_be_a_count(tmp_path: Path):
    with pytest.raises(ValueError, match=r"every_n_epochs \(0\) must be at least 1"):
        GradientFlow(directory=str(tmp_path), every_n_epochs=0)
