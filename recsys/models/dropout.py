"""Dropout whose mask costs a byte of randomness per element."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.draws import generator

LEVELS = 256  # values of a random byte


class Dropout(nn.Module):
    """Zeroes elements with probability `p` in training and scales the others by 1 / (1 - p).

    On a CPU torch draws a Bernoulli mask at about 6 ns an element, more than the product that it drops from. Here
    a random byte decides, 10 times faster; `p` is rounded to a multiple of 1/256 and the scale made to fit. On
    other devices this is torch's own dropout.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout ({p}) must be at least 0 and below 1; change model.dropout")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        return _ByteDropout.apply(x, self.p)  # pyright: ignore[reportReturnType]

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Draws:
    """Random bytes that say what is dropped: each with probability `p` rounded to 1/256.

    scale: what keeps the mean of what is left.
    """

    def __init__(self, shape: tuple[int, ...], p: float, dtype: torch.dtype) -> None:
        size, self.dropped = math.prod(shape), round(p * LEVELS)
        words = torch.empty(-(-size // 8), dtype=torch.int64).random_(-(2**63), None, generator=generator())
        self.bytes = words.view(torch.uint8)[:size].view(shape)
        self.scale = LEVELS / (LEVELS - self.dropped)
        self.dtype = dtype

    def kept(self, rows: slice = slice(None)) -> Tensor:
        """A mask of zeros and ones for some of the first axis' rows."""
        return self.bytes[rows].to(self.dtype).ge_(self.dropped)


class _ByteDropout(torch.autograd.Function):
    """Multiplication with a byte mask."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float) -> Tensor:
        draws = Draws(x.shape, p, x.dtype)
        mask = draws.kept().mul_(draws.scale)
        ctx.save_for_backward(mask)
        return x * mask

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad * ctx.saved_tensors[0], None
