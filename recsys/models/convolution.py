"""Causal convolution of rows laid end to end, a filter per channel: in C where it is compiled, and in plain torch."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsys.kernels.library import require_memory
from recsys.parallel import call_each, ranges

NEEDED = "the states of one row; make max_length smaller"


def convolve(x: Tensor, filters: Tensor, lengths: Tensor) -> Tensor:
    """y_t = sum over s <= t in the same row of filters[t - s] * x_s: x [N, D], filters [M, D] -> [N, D].

    lengths: cells of each row, [B] int64, at most M; they follow those of the row before, and 0 is written behind the
    last row's. recsys/kernels/convolution.c: for rows of 200 items it is three times faster than the way through
    frequencies, and short rows cost less than long ones.
    """
    total, longest = int(lengths.sum()), int(lengths.max()) if len(lengths) else 0
    if total > len(x) or longest > len(filters):
        raise ValueError(
            f"rows of {total} cells, the longest of {longest}, but {len(x)} cells and {len(filters)} weights a channel"
        )
    return _Convolution.apply(x, filters, lengths.long().contiguous())  # pyright: ignore[reportReturnType]


def convolve_plainly(x: Tensor, filters: Tensor) -> Tensor:
    """The same of padded rows [B, L, D], filters [L, D], in the frequency domain; padding stands behind each row."""
    length = x.shape[1]
    spectrum = torch.fft.rfft(x, n=2 * length, dim=1) * torch.fft.rfft(filters, n=2 * length, dim=0)
    return torch.fft.irfft(spectrum, n=2 * length, dim=1)[:, :length]


class _Convolution(torch.autograd.Function):
    """Convolution with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, filters: Tensor, lengths: Tensor) -> Tensor:
        x, filters, starts = x.contiguous(), filters.contiguous(), lengths.cumsum(0) - lengths
        ctx.save_for_backward(x, filters, starts, lengths)
        out = torch.empty_like(x)
        out[lengths.sum() :] = 0

        given = (*filters.shape, x, filters, out)
        found = call_each("convolve_rows", [(starts, lengths, *rows, *given) for rows in ranges(lengths.tolist())])
        require_memory(found, what=NEEDED)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, filters, starts, lengths = ctx.saved_tensors
        grad, to_x = grad.contiguous(), torch.empty_like(x)
        to_x[lengths.sum() :] = 0

        parts = [(rows, torch.empty_like(filters)) for rows in ranges(lengths.tolist())]
        given = (*filters.shape, x, filters, grad, to_x)
        found = call_each("convolve_rows_backward", [(starts, lengths, *rows, *given, part) for rows, part in parts])
        require_memory(found, what=NEEDED)
        return to_x, torch.stack([part for _, part in parts]).sum(0), None
