"""Rows of a trained table by their numbers, with a quicker way back than torch's."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsys.kernels.library import takes
from recsys.parallel import call_each, even_ranges

NUMBERS = 256  # of a table and of rows that take about as long as a cell of an encoder


def look_up(table: Tensor, ids: Tensor, *, padding: int | None = None, sparse: bool = False) -> Tensor:
    """table[ids]: [V, D] and [*] -> [*, D]. The row `padding` has no gradient; sparse: the table's is.

    torch adds to the table's gradient row by row on one thread; recsys/kernels/lookup.c has a part of the table on
    each, and sets it to 0 in the same way through memory.
    """
    if sparse or not takes(table) or ids.dtype != torch.int64:
        return F.embedding(ids, table, padding, sparse=sparse)
    return _LookUp.apply(table, ids, -1 if padding is None else padding)  # pyright: ignore[reportReturnType]


class _LookUp(torch.autograd.Function):
    """F.embedding with its gradient."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, ids: Tensor, padding: int) -> Tensor:
        ctx.save_for_backward(ids)
        ctx.shape, ctx.padding = table.shape, padding
        return F.embedding(ids, table)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (ids,) = ctx.saved_tensors
        count, size = ctx.shape
        to_table = grad.new_empty(ctx.shape)
        given = (grad.contiguous(), ids.contiguous(), ids.numel(), size, ctx.padding)
        parts = even_ranges(count, step=1, cells=(count + ids.numel()) * size // NUMBERS)
        call_each("add_rows", [(*given, *part, to_table) for part in parts])
        return to_table, None, None
