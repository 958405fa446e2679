"""Scaled dot-product attention of rows that are laid end to end: in C where it is compiled, and in plain torch."""

import ctypes
import math
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsys.kernels.draws import Draws
from recsys.kernels.library import require_memory
from recsys.models.dropout import drop_plainly
from recsys.parallel import call_each, ranges


def attend(
    query: Tensor,
    key_value: Tensor,
    lengths: Tensor,
    *,
    num_heads: int,
    causal: bool,
    num_whole: int | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """softmax(q k' / sqrt(d)) v for each head: queries [Q, D], keys and values [N, 2 D] -> [Q, D].

    lengths: cells of each row, [B] int64, at least 1; they follow those of the row before, and 0 is written behind the
    last row's.
    num_whole: of that many rows every cell is a query, None: of all; behind them stands one query for each other row.
    causal: whether those of whole rows see the keys up to their own places alone, not their whole row.
    dropout: on the attention weights.

    recsys/kernels/attention.c: no row is padded, no score is kept. torch's own fused CPU kernel takes no dropout.
    """
    num_cells = int(lengths.sum())
    num_whole = len(lengths) if num_whole is None else num_whole
    num_queries = int(lengths[:num_whole].sum()) + len(lengths) - num_whole
    if len(query) < num_queries or len(key_value) < num_cells:
        raise ValueError(f"rows of {num_cells} cells, but {len(query)} queries and {len(key_value)} keys")
    layout = _Layout(lengths.long().contiguous(), num_queries, num_cells, num_heads, causal, num_whole)
    return _Attention.apply(query, key_value, layout, dropout)  # pyright: ignore[reportReturnType]


def attend_plainly(query: Tensor, key: Tensor, value: Tensor, visible: Tensor, *, dropout: float) -> Tensor:
    """The same of padded rows [B, H, *, d], torch operation by operation; visible: which keys, [B, 1, 1 or Q, L]."""
    if not dropout:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=visible)
    scores = query @ key.mT * query.shape[-1] ** -0.5
    return drop_plainly(scores.masked_fill(~visible, -torch.inf).softmax(-1), dropout) @ value


class _Layout(NamedTuple):
    """Which queries and keys there are, and who sees whom; see `attend`."""

    lengths: Tensor
    num_queries: int
    num_cells: int
    num_heads: int
    causal: bool
    num_whole: int


class _Batch(ctypes.Structure):
    """What attention.c calls a batch."""

    _fields_ = [
        ("starts", ctypes.c_void_p),
        ("lengths", ctypes.c_void_p),
        ("heads", ctypes.c_int64),
        ("size", ctypes.c_int64),
        ("longest", ctypes.c_int64),
        ("causal", ctypes.c_int64),
        ("whole", ctypes.c_int64),
        ("to_bits", ctypes.c_float),
        ("drawn", Draws),
    ]


class _Attention(torch.autograd.Function):
    """Attention with its gradient."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key_value: Tensor, layout: _Layout, dropout: float) -> Tensor:
        query, key_value = query.contiguous(), key_value.contiguous()
        lengths = layout.lengths
        size = query.shape[1] // layout.num_heads
        starts = lengths.cumsum(0) - lengths
        ctx.batch = _Batch(
            starts.data_ptr(),
            lengths.data_ptr(),
            layout.num_heads,
            size,
            int(lengths.max()) if len(lengths) else 0,
            layout.causal,
            layout.num_whole,
            size**-0.5 / math.log(2),
            Draws.of(dropout),
        )
        out, level = torch.empty_like(query), query.new_empty(len(query), layout.num_heads)
        out[layout.num_queries :] = 0
        ctx.save_for_backward(query, key_value, out, level)
        ctx.layout, ctx.starts = layout, starts  # the batch points to them
        ctx.shares = ranges(lengths.tolist())
        _on_rows("attend", ctx.batch, ctx.shares, query, key_value, out, level)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key_value, out, level = ctx.saved_tensors
        to_query, to_key_value = torch.empty_like(query), torch.empty_like(key_value)
        to_query[ctx.layout.num_queries :] = 0
        to_key_value[ctx.layout.num_cells :] = 0
        given = (query, key_value, out, level, grad.contiguous())
        _on_rows("attend_backward", ctx.batch, ctx.shares, *given, to_query, to_key_value)
        return to_query, to_key_value, None, None


def _on_rows(name: str, batch: _Batch, shares: list[tuple[int, int]], *tensors: Tensor) -> None:
    """Calls a function of attention.c on all rows."""
    found = call_each(name, [(batch, *rows, *tensors) for rows in shares])
    require_memory(found, what="the keys and values of one row; make max_length smaller")
