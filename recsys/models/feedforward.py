"""Two linear layers with an activation and dropout between them, in one piece where that is compiled."""

import ctypes
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from recsys.kernels.draws import Draws
from recsys.kernels.library import require_memory, takes
from recsys.parallel import call_each, even_ranges

CELLS = 64  # that recsys/kernels/feedforward.c works on at a time
SMOOTH: dict[Callable[[Tensor], Tensor], bool] = {F.gelu: True, F.relu: False}  # the activations that it knows
NEEDED = "two layers' weights and their gradients; make model.feedforward_dim smaller"


def fuses(x: Tensor, activation: Callable[[Tensor], Tensor], *layers: nn.Module) -> bool:
    """Whether `feed` takes that; not where somebody listens to a layer or precision is mixed."""
    heard = any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)
    return activation in SMOOTH and takes(x) and not heard and not torch.is_autocast_enabled("cpu")


def feed(
    x: Tensor, expand: nn.Linear, contract: nn.Linear, *, activation: Callable[[Tensor], Tensor], dropout: float
) -> Tensor:
    """contract(drop(activation(expand(x)))), [*, D] -> [*, D].

    recsys/kernels/feedforward.c: 64 cells at a time, so that what lies between the layers is never in memory as a
    whole; the way back computes it again.
    """
    weights = (expand.weight, expand.bias, contract.weight, contract.bias)
    out: Tensor = _Feed.apply(x.flatten(0, -2), *weights, SMOOTH[activation], dropout)  # pyright: ignore[reportAssignmentType]
    return out.view(x.shape)


class _Layers(ctypes.Structure):
    """What feedforward.c calls layers."""

    _fields_ = [("dim", ctypes.c_int64), ("hidden", ctypes.c_int64), ("smooth", ctypes.c_int64), ("drawn", Draws)]


class _Feed(torch.autograd.Function):
    """The two layers with their gradient: x [N, D], weights [H, D], [H], [D, H] and [D]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *given: Any) -> Tensor:
        *weights, smooth, dropout = given
        x, weights = x.contiguous(), [weight.contiguous() for weight in weights]
        ctx.layers = _Layers(x.shape[1], len(weights[0]), smooth, Draws.of(dropout))
        ctx.save_for_backward(x, *weights)
        out = torch.empty_like(x)
        found = call_each("feed", [(ctx.layers, *cells, x, *weights, out) for cells in _ranges(x)])
        require_memory(found, what=NEEDED)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, *weights = ctx.saved_tensors
        grad, to_x = grad.contiguous(), torch.empty_like(x)
        parts = [(cells, [torch.empty_like(weight) for weight in weights]) for cells in _ranges(x)]
        given = (x, *weights[:3], grad, to_x)
        found = call_each("feed_backward", [(ctx.layers, *cells, *given, *part) for cells, part in parts])
        require_memory(found, what=NEEDED)
        to_weights = [torch.stack(each).sum(0) for each in zip(*(part for _, part in parts), strict=True)]
        return to_x, *to_weights, None, None


def _ranges(x: Tensor) -> list[tuple[int, int]]:
    return even_ranges(len(x), step=CELLS, cells=len(x))
