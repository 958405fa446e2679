"""LRURec: linear recurrent units for sequential recommendation (Yue et al., WSDM 2024)."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.models.base import PackingModel
from recsys.models.blocks import MixerBlock, Stack
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, check_sizes, initialise
from recsys.models.outputs import TiedOutput
from recsys.models.rows import Rows
from recsys.scoring import ItemTable


class LRURec(PackingModel):
    """A stack of linear recurrences with complex states, each followed by a feed-forward layer; post-norm.

    Order is in the recurrence, so there are no position vectors; the output layer is the item embedding and a bias
    per item. Differs from the paper by default: weights from N(0, init_std^2), not truncated at two deviations; the
    complex projections in and out of the state are written as real ones of twice the width, the same functions.

    state_dim: complex states per block.
    min_radius, max_radius: |lambda| starts uniformly (by area) in this ring, so 1 / (1 - max_radius) items is about
    the longest memory at the start.
    """

    packs = False  # the recurrence works on padding, so that batches are cut into parts of like length

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        dim: int = 64,
        state_dim: int = 128,
        num_blocks: int = 2,
        feedforward_dim: int = 256,
        dropout: float = 0.2,
        min_radius: float = 0.8,
        max_radius: float = 0.99,
        init_std: float = 0.02,
    ) -> None:
        super().__init__(catalogue)
        check_sizes(state_dim=state_dim, num_blocks=num_blocks)
        self.embedding = ItemEmbedding(catalogue.num_items, dim=dim)
        self.norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)
        sizes = {"dim": dim, "feedforward_dim": feedforward_dim, "dropout": dropout}
        ring = {"min_radius": min_radius, "max_radius": max_radius}
        self.blocks = Stack(
            MixerBlock(LinearRecurrence(dim=dim, state_dim=state_dim, **ring), **sizes) for _ in range(num_blocks)
        )
        self.output = TiedOutput(catalogue.num_items, dim=dim, bias=True)
        initialise(self, std=init_std)

    def states(self, items: Tensor, rows: Rows) -> Tensor:
        return self.blocks(self.norm(self.dropout(self.embedding(items))), rows)

    def item_table(self) -> ItemTable:
        return self.output(self.embedding)


class LinearRecurrence(nn.Module):
    """h_t = lambda * h_(t-1) + gamma * (B x_t), y_t = Re(C h_t), elementwise in S complex states.

    lambda = exp(-exp(log_decay) + i exp(log_angle)) has |lambda| < 1 whatever the parameters; gamma starts at
    sqrt(1 - |lambda|^2), which keeps the state's scale (Orvieto et al., ICML 2023).
    """

    def __init__(self, *, dim: int, state_dim: int, min_radius: float, max_radius: float) -> None:
        super().__init__()
        if not 0 < min_radius < max_radius < 1:
            raise ValueError(
                f"min_radius ({min_radius}) and max_radius ({max_radius}) must satisfy 0 < min_radius < max_radius < 1;"
                " change model.min_radius or model.max_radius"
            )
        squared = torch.empty(state_dim).uniform_(min_radius**2, max_radius**2)  # |lambda|^2
        self.log_decay = nn.Parameter((-squared.log() / 2).log())
        self.log_angle = nn.Parameter(torch.rand(state_dim).mul(2 * math.pi).log())
        self.log_gamma = nn.Parameter((1 - squared).log() / 2)
        self.input = nn.Linear(dim, 2 * state_dim)
        self.output = nn.Linear(2 * state_dim, dim)

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """[N, D] -> [N, D], causal."""
        decay = torch.exp(torch.complex(-self.log_decay.exp(), self.log_angle.exp()))  # lambda, [S]
        driven = torch.view_as_complex(rows.unpack(self.input(x)).unflatten(2, (-1, 2)))  # [B, L, S]
        states = linear_recurrence(driven * self.log_gamma.exp(), decay)
        return self.output(rows.cells(torch.view_as_real(states).flatten(2)))  # [B, L, 2S] -> [N, D]


def linear_recurrence(inputs: Tensor, decay: Tensor) -> Tensor:
    """h_t = decay * h_(t-1) + inputs_t with h_(-1) = 0, all steps at once: inputs [B, L, S], decay [S] -> [B, L, S]."""
    return _Recurrence.apply(inputs, decay)  # pyright: ignore[reportReturnType]


class _Recurrence(torch.autograd.Function):
    """The gradient of a linear recurrence is one too, run backwards: no intermediate step has to be kept."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, decay: Tensor) -> Tensor:
        states = _scan(inputs, decay)
        ctx.save_for_backward(states, decay)
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        states, decay = ctx.saved_tensors
        grad_inputs = _scan(grad.flip(1), decay.conj()).flip(1)  # [B, L, S]
        grad_decay = (grad_inputs[:, 1:] * states[:, :-1].conj()).sum((0, 1))  # [S]
        return grad_inputs, grad_decay


def _scan(inputs: Tensor, decay: Tensor) -> Tensor:
    """Doubling: neighbouring runs of 1, 2, 4, ... steps are joined by what the left run's last state adds to the right.

    log2(L) vectorised passes in place, each over half of the states: on two CPU cores as fast as L steps one by one,
    and 7 times faster than doubling left to autograd.
    """
    _, length, size = inputs.shape
    padded = 1 << max(length - 1, 0).bit_length()
    states = F.pad(inputs, (0, 0, 0, padded - length))  # [B, P, S], P a power of two
    powers = decay.resolve_conj()[None]  # decay^1 .. decay^run, [run, S]
    while (run := len(powers)) < padded:
        left, right = states.view(-1, 2, run, size).unbind(1)  # [B * P / (2 run), run, S]
        right.addcmul_(left[:, -1:], powers)
        powers = torch.cat([powers, powers * powers[-1]])
    return states[:, :length]
