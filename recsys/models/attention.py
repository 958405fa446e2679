"""Scaled dot-product attention, in blocks of rows whose scores stay in cache."""

import math
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.models.dropout import Draws
from recsys.products import pieces

BLOCK_BYTES = 2 * 2**20  # of scores held at once: what two cores keep in their second-level caches


def attend(query: Tensor, key: Tensor, value: Tensor, *, visible: Tensor | None = None, dropout: float = 0.0) -> Tensor:
    """softmax(q k' / sqrt(d)) v for each of H heads: query [B, H, Q, d], key and value [B, H, L, d] -> [B, H, Q, d].

    visible: [B, 1, 1 or Q, L] bool, which keys a query may see; None = itself and what came before (Q = L). A
    query that sees nothing gets the mean of the values: finite, and of no influence where its position bears no loss.
    dropout: on the attention weights.

    On a CPU the products go through the matrix kernels of `torch.bmm` block by block, the weights being computed
    again in the backward pass, as FlashAttention does (Dao et al., NeurIPS 2022); torch's own fused CPU kernel takes
    no dropout, is half as fast with a mask, and does not use oneDNN's products. Elsewhere this is torch's own.
    """
    if query.device.type != "cpu":
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask=visible, is_causal=visible is None, dropout_p=dropout
        )
    return _BlockedAttention.apply(query, key, value, _bias(query, visible), dropout)  # pyright: ignore


class _BlockedAttention(torch.autograd.Function):
    """Attention with its gradient, the weights being computed twice instead of being kept.

    Inside, scores are in bits (the query brings log2 e along) and weights powers of two: on an AMD processor torch's
    exp2 takes a quarter of the time of its exp.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor, dropout: float) -> Tensor:
        ctx.scale = query.shape[3] ** -0.5
        query = (query * (ctx.scale * math.log2(math.e))).contiguous()
        key, value = key.contiguous(), value.contiguous()
        weighing = _Weighing(query, key, bias)
        draws = Draws(weighing.shape, dropout, query.dtype) if dropout else None
        out, level = torch.empty_like(query), query.new_empty(*query.shape[:3], 1)
        buffer = weighing.buffer()
        for rows in weighing.blocks():
            weights = weighing.scores(rows, buffer)
            highest = weights.amax(3, keepdim=True)
            total = weights.sub_(highest).exp2_().sum(3, keepdim=True)
            torch.add(highest, total.log2(), out=level[rows])
            if draws is not None:
                weights.mul_(draws.kept(rows))
                total /= draws.scale
            _product(weights, value[rows], out[rows]).div_(total)
        ctx.weighing, ctx.draws = weighing, draws
        ctx.save_for_backward(value, out, level)
        return _like_layers(out)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        value, out, level = ctx.saved_tensors
        weighing: _Weighing = ctx.weighing
        draws: Draws | None = ctx.draws
        grad = grad.contiguous()
        shared = torch.linalg.vecdot(grad, out).unsqueeze(3)  # what all weights of a query lose together
        if draws is not None:
            grad = grad * draws.scale
        to_query, to_key, to_value = (torch.empty_like(part) for part in (out, value, value))
        first, second = weighing.buffer(), weighing.buffer()
        for rows in weighing.blocks():
            weights = weighing.scores(rows, first).sub_(level[rows]).exp2_()  # [b, H, Q, L]
            slope = _product(grad[rows], value[rows].mT, second[: len(weights)])
            kept = weights if draws is None else draws.kept(rows).mul_(weights)
            slope.mul_(kept).addcmul_(weights, shared[rows], value=-1)
            _product(kept.mT, grad[rows], to_value[rows])
            _product(slope, weighing.key[rows], to_query[rows])
            _product(slope.mT, weighing.query[rows], to_key[rows])
        slopes = (to_query.mul_(ctx.scale), to_key.mul_(math.log(2)), to_value)
        return (*map(_like_layers, slopes), None, None)


class _Weighing:
    """Scores of queries [B, H, Q, d] for keys [B, H, L, d], some of B's rows at a time."""

    def __init__(self, query: Tensor, key: Tensor, bias: Tensor) -> None:
        self.query, self.key, self.bias = query, key, bias
        self.shape = (*query.shape[:3], key.shape[2])  # [B, H, Q, L]
        self.size = min(len(query), max(1, BLOCK_BYTES // (math.prod(self.shape[1:]) * query.element_size())))

    def blocks(self) -> Iterator[slice]:
        return pieces(len(self.query), self.size)

    def buffer(self) -> Tensor:
        """Memory for the scores of a block, to be used by one after the other."""
        return self.query.new_empty(self.size, *self.shape[1:])

    def scores(self, rows: slice, buffer: Tensor) -> Tensor:
        """[b, H, Q, L]."""
        scores = _product(self.query[rows], self.key[rows].mT, buffer[: rows.stop - rows.start])
        return scores.add_(self.bias if len(self.bias) == 1 else self.bias[rows])


def _bias(query: Tensor, visible: Tensor | None) -> Tensor:
    """What is added to the scores, [1 or B, 1, 1 or L, L]: 0 where a key is visible, the lowest number elsewhere."""
    if visible is None:
        length = query.shape[2]
        visible = torch.ones(1, 1, length, length, dtype=torch.bool).tril()
    return torch.zeros(visible.shape, dtype=query.dtype).masked_fill_(~visible, torch.finfo(query.dtype).min)


def _like_layers(part: Tensor) -> Tensor:
    """[B, H, L, d] in memory [B, L, H, d], as the layers around attention hold it."""
    return part.transpose(1, 2).contiguous().transpose(1, 2)


def _product(one: Tensor, other: Tensor, out: Tensor) -> Tensor:
    """Writes one @ other to out: [b, H, m, k] and [b, H, k, n]."""
    torch.bmm(one.flatten(0, 1), other.flatten(0, 1), out=out.flatten(0, 1))
    return out
