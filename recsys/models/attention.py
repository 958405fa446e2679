"""Scaled dot-product attention, in blocks of rows whose scores stay in cache."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.models.dropout import byte_mask
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


def _bias(query: Tensor, visible: Tensor | None) -> Tensor:
    """What is added to the scores, [1 or B, 1, 1 or L, L]: 0 where a key is visible, the lowest number elsewhere."""
    if visible is None:
        length = query.shape[2]
        visible = torch.ones(1, 1, length, length, dtype=torch.bool).tril()
    return torch.zeros(visible.shape, dtype=query.dtype).masked_fill_(~visible, torch.finfo(query.dtype).min)


class _BlockedAttention(torch.autograd.Function):
    """Attention with its gradient; computes the weights twice instead of keeping [B, H, L, L] of them."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor, dropout: float) -> Tensor:
        query, key, value = query.contiguous(), key.contiguous(), value.contiguous()
        out = torch.empty_like(query)
        kept = byte_mask((*query.shape[:3], key.shape[2]), dropout) if dropout else None
        for rows in _blocks(query, key.shape[2]):
            weights = _weights(query[rows], key[rows], _rows(bias, rows))  # [b, H, L, L]
            if kept is not None:
                weights *= kept[rows]
            out[rows] = weights @ value[rows]
        ctx.save_for_backward(query, key, value, bias, out, kept)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, bias, out, kept = ctx.saved_tensors
        grad = grad.contiguous()
        to_query, to_key, to_value = (torch.empty_like(part) for part in (query, key, value))
        shared = (grad * out).sum(3, keepdim=True)  # what all weights of a query lose together
        for rows in _blocks(query, key.shape[2]):
            weights = _weights(query[rows], key[rows], _rows(bias, rows))
            seen = grad[rows] @ value[rows].mT  # [b, H, L, L]
            passed = weights
            if kept is not None:
                seen, passed = seen.mul_(kept[rows]), weights * kept[rows]
            to_value[rows] = passed.mT @ grad[rows]
            slope = seen.sub_(shared[rows]).mul_(weights).mul_(query.shape[3] ** -0.5)
            to_query[rows] = slope @ key[rows]
            to_key[rows] = slope.mT @ query[rows]
        return to_query, to_key, to_value, None, None


def _weights(query: Tensor, key: Tensor, bias: Tensor) -> Tensor:
    return torch.softmax((query @ key.mT).mul_(query.shape[3] ** -0.5).add_(bias), dim=3)


def _blocks(query: Tensor, length: int) -> list[slice]:
    """Blocks of batch rows whose scores fit BLOCK_BYTES."""
    size = max(1, BLOCK_BYTES // (query.shape[1] * query.shape[2] * length * query.element_size()))
    return list(pieces(len(query), size))


def _rows(bias: Tensor, rows: slice) -> Tensor:
    return bias if len(bias) == 1 else bias[rows]
