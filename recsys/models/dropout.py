"""Dropout that keeps no mask where it is compiled (recsys/kernels/dropout.c)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.draws import generator
from recsys.kernels.draws import LEVELS, Draws, num_dropped
from recsys.kernels.library import takes
from recsys.parallel import call_each, even_ranges

CHUNK = 64  # numbers that recsys/kernels/dropout.c draws for at a time
CELL = 1024  # numbers that take about as long as a cell of an encoder


class Dropout(nn.Module):
    """Zeroes elements with probability `p` in training and scales the others by 1 / (1 - p).

    On a CPU torch draws a Bernoulli mask at about 6 ns an element, more than the product that it drops from. Here
    a byte of a hash decides, and both directions compute it anew; `p` is rounded to a multiple of 1/256 and the scale
    made to fit. On other devices this is torch's own dropout.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout ({p}) must be at least 0 and below 1; change model.dropout")
        self.p = p

    def forward(self, x: Tensor, *, onto: Tensor | None = None) -> Tensor:
        """What is left of x; added to `onto`, of the same shape, where that is given."""
        if not self.training or self.p == 0:
            return x if onto is None else onto + x
        if takes(x) and (onto is None or (takes(onto) and onto.shape == x.shape)):
            return _HashedDropout.apply(x, onto, Draws.of(self.p))  # pyright: ignore[reportReturnType]
        left = drop_plainly(x, self.p) if x.device.type == "cpu" else F.dropout(x, self.p)
        return left if onto is None else onto + left

    def extra_repr(self) -> str:
        return f"p={self.p}"


def drop_plainly(x: Tensor, p: float) -> Tensor:
    """The same torch operation by operation: random bytes of this thread's generator, eight in a word, decide."""
    words = torch.empty(-(-x.numel() // 8), dtype=torch.int64).random_(-(2**63), None, generator=generator())
    kept = words.view(torch.uint8)[: x.numel()].view(x.shape).to(x.dtype).ge_(num_dropped(p))
    return x * kept.mul_(LEVELS / (LEVELS - num_dropped(p)))


class _HashedDropout(torch.autograd.Function):
    """onto + what is left of x; on the way back the same elements are left of the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, onto: Tensor | None, draws: Draws) -> Tensor:
        ctx.draws, ctx.added = draws, onto is not None
        x = x.contiguous()
        out = torch.empty_like(x)
        onto = None if onto is None else onto.contiguous()
        parts = even_ranges(x.numel(), step=CHUNK, cells=x.numel() // CELL)
        call_each("drop", [(x, onto, out, *part, draws) for part in parts])
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return _HashedDropout.apply(grad, None, ctx.draws), grad if ctx.added else None, None  # pyright: ignore
