"""Scaled dot-product attention on a CPU, in blocks of rows whose scores stay in cache."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from recsys.data.parts import WIDTH_STEP
from recsys.models.dropout import Draws

BLOCK_SCORES = 2**19  # held at once: 2 MiB, what two cores keep in their second-level caches
WORTH = 2**15  # scores with padding that one more block has to save: what its calls of torch take


class Layout:
    """Where the cells of a batch's rows stand for H heads, and which keys a query sees.

    lengths: keys of each row, [B]; its cells follow those of the row before.
    causal: whether a query sees the keys up to its own place alone, not its whole row.
    ends: whether the last cell of each row is the only query; else every cell is one.
    """

    def __init__(self, lengths: Tensor, *, num_heads: int, causal: bool, ends: bool = False) -> None:
        self.blocks = list(_blocks(lengths.tolist(), num_heads, ends=ends))
        width = max((block.width for block in self.blocks), default=0)
        visible = torch.arange(width) < lengths[:, None]  # [B, L]
        cells = _Cells(lengths, visible)
        self.key_value = _Heads(cells, num_heads=num_heads, parts=2)
        if ends:
            each = torch.ones_like(lengths)
            cells = _Cells(each, each[:, None] > 0)
        self.query = _Heads(cells, num_heads=num_heads)
        ahead = torch.ones(width, width, dtype=torch.bool).tril()[None, None]  # [1, 1, L, L]
        self.causal = causal and not ends
        self.bias = _hidden(ahead if self.causal else visible[:, None, None])

    def bias_of(self, block: "_Block") -> Tensor:
        """What is added to the block's scores [b, H, q, w]: 0 or, where a key is not seen, the lowest number."""
        if self.causal:
            return self.bias[:, :, : block.width, : block.width]
        return self.bias[block.rows, :, :, : block.width]


def attend(query: Tensor, key_value: Tensor, layout: Layout, *, dropout: float = 0.0) -> Tensor:
    """softmax(q k' / sqrt(d)) v for each head: queries [Q, D], keys and values [N, 2 D] -> [Q, D].

    dropout: on the attention weights.

    Products go through the matrix kernels of `torch.bmm` block by block, no wider than the block's longest row; the
    weights are computed again in the backward pass, as FlashAttention does (Dao et al., NeurIPS 2022). torch's own
    fused CPU kernel takes no dropout, is half as fast with a mask, and does not use oneDNN's products.
    """
    return _BlockedAttention.apply(query, key_value, layout, dropout)  # pyright: ignore[reportReturnType]


class _BlockedAttention(torch.autograd.Function):
    """Attention with its gradient.

    Inside, scores are in bits (the query brings log2 e along) and weights powers of two: on an AMD processor torch's
    exp2 takes a quarter of the time of its exp.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key_value: Tensor, layout: Layout, dropout: float) -> Tensor:
        (q,), (k, v) = layout.query.take(query), layout.key_value.take(key_value)  # [B, H, Q or L, d]
        ctx.scale = q.shape[3] ** -0.5
        q *= ctx.scale * math.log2(math.e)
        blocks = layout.blocks
        draws = Draws((sum(block.num_scores for block in blocks),), dropout, q.dtype) if dropout else None
        out, level = torch.empty_like(q), q.new_empty(*q.shape[:3], 1)
        buffer = _buffer(blocks, q)
        for block in blocks:
            queries = block.of_queries
            weights = block.scores(q, k, layout, buffer)
            highest = weights.amax(3, keepdim=True)
            total = weights.sub_(highest).exp2_().sum(3, keepdim=True)
            torch.add(highest, total.log2(), out=level[queries])
            if draws is not None:
                weights.mul_(draws.kept(block.drawn).view(block.shape))
                total /= draws.scale
            _product(weights, v[block.of_keys], out[queries]).div_(total)
        ctx.layout, ctx.draws, ctx.counts = layout, draws, (len(query), len(key_value))
        ctx.save_for_backward(q, k, v, out, level)
        return layout.query.give(out, len(query))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        q, k, v, out, level = ctx.saved_tensors
        layout: Layout = ctx.layout
        draws: Draws | None = ctx.draws
        slope_out = layout.query.take_real(grad.contiguous())[0]  # [B, H, Q, d]
        shared = torch.linalg.vecdot(slope_out, out).unsqueeze(3)  # what all weights of a query lose together
        if draws is not None:
            slope_out = slope_out * draws.scale
        to_query, to_key_value = torch.empty_like(q), k.new_empty(2, *k.shape)
        first, second = _buffer(layout.blocks, q), _buffer(layout.blocks, q)
        for block in layout.blocks:
            queries, keys = block.of_queries, block.of_keys
            weights = block.scores(q, k, layout, first).sub_(level[queries]).exp2_()
            slope = _product(slope_out[queries], v[keys].mT, second[: block.num_scores].view(block.shape))
            kept = weights if draws is None else draws.kept(block.drawn).view(block.shape).mul_(weights)
            slope.mul_(kept).addcmul_(weights, shared[queries], value=-1)
            _product(kept.mT, slope_out[queries], to_key_value[1][keys])
            _product(slope.mT, q[queries], to_key_value[0][keys])
            _product(slope, k[keys], to_query[queries])
        to_query *= ctx.scale
        to_key_value[0] *= math.log(2)
        queries, keys = ctx.counts
        return layout.query.give(to_query, queries), layout.key_value.give(to_key_value, keys), None, None


class _Block(NamedTuple):
    """Neighbouring rows of like length. drawn: which of all the blocks' scores are its own."""

    rows: slice
    shape: tuple[int, int, int, int]
    drawn: slice

    @property
    def width(self) -> int:
        return self.shape[3]

    @property
    def num_scores(self) -> int:
        return math.prod(self.shape)

    @property
    def of_queries(self) -> tuple[slice, slice, slice]:
        """Its place in [B, H, Q, d]."""
        return self.rows, slice(None), slice(self.shape[2])

    @property
    def of_keys(self) -> tuple[slice, slice, slice]:
        """Its place in [B, H, L, d]."""
        return self.rows, slice(None), slice(self.width)

    def scores(self, query: Tensor, key: Tensor, layout: Layout, buffer: Tensor) -> Tensor:
        """[b, H, q, w]."""
        out = buffer[: self.num_scores].view(self.shape)
        return _product(query[self.of_queries], key[self.of_keys].mT, out).add_(layout.bias_of(self))


class _Cells:
    """The cells of B rows of `lengths` as columns of a matrix; behind a row's end stands its last one again.

    real: which of the columns are a cell, [B, L].
    """

    def __init__(self, lengths: Tensor, real: Tensor) -> None:
        starts = lengths.cumsum(0) - lengths
        columns = torch.arange(real.shape[1])
        self.real = real
        self.taken = starts[:, None] + columns.minimum(lengths[:, None] - 1)  # [B, L]


class _Heads:
    """Cells that hold P parts of H heads [*, P H d], and the matrices that they are multiplied as [P, B, H, L, d]."""

    def __init__(self, cells: _Cells, *, num_heads: int, parts: int = 1) -> None:
        num_rows, width = cells.real.shape
        self.shape = (parts, num_rows, num_heads, width)
        pieces = torch.arange(parts * num_heads).view(parts, 1, num_heads, 1)
        self._taken = (cells.taken[:, None] * pieces.numel() + pieces).flatten()
        spots = (torch.arange(num_rows)[:, None] * num_heads * width + torch.arange(width))[cells.real]  # of head 0
        steps = torch.arange(parts)[:, None] * num_rows * num_heads * width + torch.arange(num_heads) * width
        self._given = (spots[:, None, None] + steps).flatten()  # [*, P, H]
        self._real = cells.real[:, None, :, None]

    def take(self, x: Tensor) -> Tensor:
        """[*, P H d] -> [P, B, H, L, d]; behind a row's end stands its last cell again."""
        size = x.shape[1] // (self.shape[0] * self.shape[2])
        return x.reshape(-1, size).index_select(0, self._taken).view(*self.shape, size)

    def take_real(self, x: Tensor) -> Tensor:
        """The same, 0 behind a row's end."""
        return self.take(x).mul_(self._real)

    def give(self, x: Tensor, count: int) -> Tensor:
        """[P, B, H, L, d] -> [count, P H d], 0 in cells of no row."""
        size = x.shape[-1]
        out = x.new_empty(count, self.shape[0] * self.shape[2] * size)
        pieces = out.view(-1, size)
        torch.index_select(x.view(-1, size), 0, self._given, out=pieces[: len(self._given)])
        pieces[len(self._given) :] = 0
        return out


def _blocks(lengths: list[int], num_heads: int, *, ends: bool) -> Iterator[_Block]:
    """Cuts the rows into powers of two of them, whose scores are at most BLOCK_SCORES."""
    start, drawn = 0, 0
    while start < len(lengths):
        size, width = 1, _stepped(lengths[start])
        while start + 2 * size <= len(lengths):
            wider = _stepped(max(lengths[start : start + 2 * size]))
            row, before = (num_heads * each * (1 if ends else each) for each in (wider, width))
            if 2 * size * row > BLOCK_SCORES or size * (row - before) > WORTH:
                break
            size, width = 2 * size, wider
        shape = (size, num_heads, 1 if ends else width, width)
        count = math.prod(shape)
        yield _Block(slice(start, start + size), shape, slice(drawn, drawn + count))
        start, drawn = start + size, drawn + count


def _stepped(length: int) -> int:
    return -(-length // WIDTH_STEP) * WIDTH_STEP


def _buffer(blocks: list[_Block], like: Tensor) -> Tensor:
    """Memory for the scores of one block after the other."""
    return like.new_empty(max((block.num_scores for block in blocks), default=0))


def _hidden(visible: Tensor) -> Tensor:
    """0 where a key is visible, the lowest number elsewhere: what is added to scores."""
    return torch.zeros(visible.shape).masked_fill_(~visible, torch.finfo(torch.float32).min)


def _product(one: Tensor, other: Tensor, out: Tensor) -> Tensor:
    """Writes one @ other to out: [b, H, m, k] and [b, H, k, n]."""
    torch.bmm(one.flatten(0, 1), other.flatten(0, 1), out=out.flatten(0, 1))
    return out
