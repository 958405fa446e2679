"""Do gradients reach the early layers and the early time steps?"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn

from recsys.models.layers import FeedForward
from recsys.models.rows import rows_at_work
from recsys.report.gradients import draw_gradients

COLUMNS = ("epoch", "layer", "position", "norm")


class GradientFlow(Callback):
    """Writes how large the gradient of an epoch's first batch is in every layer, and at every time step.

    Into `gradient_flow.csv`, one line per epoch, layer and position:

    - position empty: the norm of the gradient of the layer's own parameters, before any clipping;
    - position t: the norm of the gradient of the layer's output [B, L, D] at time step t, root mean square over the
      rows of the batch that are at least so long. The recurrence of a layer shows in its input, not in its output.
      Of a feed-forward layer that is the whole one's: its two layers are computed in one piece.
      With task=last_item the loss sits at the last time step: how far it carries back is how much a model remembers.

    `gradient_flow.png` is drawn from it when training ends. Training itself computes the same numbers as without.

    directory: where the two files go. every_n_epochs: epochs from one record to the next.
    """

    def __init__(self, *, directory: str, every_n_epochs: int = 1) -> None:
        if every_n_epochs < 1:
            raise ValueError(f"every_n_epochs ({every_n_epochs}) must be at least 1")
        self.csv = Path(directory, "gradient_flow.csv")
        self.every_n_epochs = every_n_epochs
        self.hooks: list[torch.utils.hooks.RemovableHandle] = []
        self.states: dict[str, list[Tensor]] = {}  # layer -> gradients of its outputs, [B, L, D] a part

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the file, or drops the lines of epochs that a resumed run runs again."""
        resumed = bool(trainer.current_epoch) and self.csv.exists()
        rows = pd.read_csv(self.csv, dtype={"position": "Int64"}) if resumed else pd.DataFrame(columns=COLUMNS)
        rows[rows["epoch"] < trainer.current_epoch].to_csv(self.csv, index=False)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0 and trainer.current_epoch % self.every_n_epochs == 0:
            self.hooks = [
                module.register_forward_hook(lambda _, __, output, name=name: self.watch(name, output))
                for name, module in watched(pl_module)
            ]

    def watch(self, name: str, output: Any) -> None:
        """Keeps the gradient of a layer's output, once there is one; of a recurrent layer the outputs come first."""
        state, rows = output[0] if isinstance(output, tuple) else output, rows_at_work()
        if not isinstance(state, Tensor) or not state.requires_grad:
            return
        if state.dim() == 3:
            state.register_hook(lambda gradient: self.keep(name, gradient.detach()))
        elif rows is not None and state.dim() == 2 and len(state) == rows.num_cells:
            state.register_hook(lambda gradient: self.keep(name, rows.unpack(gradient.detach()) * rows.real()))

    def keep(self, name: str, gradient: Tensor) -> None:
        """The gradient of a layer's output in a part of the batch, [B, L, D]."""
        self.states.setdefault(name, []).append(gradient)

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not self.hooks:
            return
        rows = [(name, None, norm) for name, norm in parameter_norms(pl_module)]
        for name, _ in watched(pl_module):
            if name in self.states:
                rows += [(name, position, norm) for position, norm in enumerate(time_step_norms(self.states[name]))]
        table = pd.DataFrame([(trainer.current_epoch, *row) for row in rows], columns=COLUMNS)
        table.astype({"position": "Int64"}).to_csv(self.csv, mode="a", header=False, index=False)
        self.release()

    def release(self) -> None:
        """Takes the hooks off: the other batches pay nothing."""
        for hook in self.hooks:
            hook.remove()
        self.hooks, self.states = [], {}

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draws what was recorded: nothing, for a model that is solved for."""
        self.release()
        draw_gradients(self.csv, self.csv.with_suffix(".png"))


def layers(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The modules inside that have parameters, and their names without the leading `model.`."""
    for name, layer in module.named_modules():
        if name and any(True for _ in layer.parameters()):
            yield name.removeprefix("model."), layer


def watched(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Those whose output is looked at: not those that a feed-forward layer computes in one piece."""
    inside = {id(part) for layer in module.modules() if isinstance(layer, FeedForward) for part in layer.children()}
    return ((name, layer) for name, layer in layers(module) if id(layer) not in inside)


def parameter_norms(module: nn.Module) -> Iterator[tuple[str, float]]:
    """Each layer that has trained parameters of its own, and the norm of their gradient."""
    for name, layer in layers(module):
        gradients = [p.grad for p in layer.parameters(recurse=False) if p.grad is not None]
        if gradients:
            yield name, float(torch.stack([gradient.norm() for gradient in gradients]).norm())


def time_step_norms(gradients: Sequence[Tensor]) -> list[float]:
    """Root mean square over rows of the gradient's norm at each time step, parts [B, L, D] of a batch -> L numbers.

    A row counts at the time steps up to its last one with a gradient: behind it there is only padding. L is the longest
    such row's length.
    """
    width = max(gradient.shape[1] for gradient in gradients)
    norms = torch.cat([F.pad(part.float().norm(dim=2), (0, width - part.shape[1])) for part in gradients])  # [B, L]
    real = (norms > 0).flip(1).cumsum(1).flip(1) > 0  # [B, L]
    rows = real.sum(0)[: int(real.any(0).sum())]  # [L], how many count
    return (norms[:, : len(rows)].square().sum(0) / rows).sqrt().tolist()
