"""From hidden states to logits, and from logits to a mean loss in bounded memory."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from recsys.candidates import Candidates
from recsys.losses.base import RankingLoss


class ItemTable(NamedTuple):
    """The output layer: one row per item. weight: [V, D]; bias: [V] or None."""

    weight: Tensor
    bias: Tensor | None


def score(queries: Tensor, table: ItemTable, items: Tensor | None = None) -> Tensor:
    """Logits of queries [N, D] against items [N, C], [C] or None (the catalogue, C = V) -> [N, C]."""
    weight, bias = table
    if items is not None:
        weight, bias = weight[items], None if bias is None else bias[items]  # [N, C, D] or [C, D]
    own = weight.dim() == 3  # each position has items of its own
    logits = torch.bmm(weight, queries.unsqueeze(2)).squeeze(2) if own else queries @ weight.T  # [N, C]
    return logits if bias is None else logits + bias


def plain_loss(queries: Tensor, table: ItemTable, candidates: Candidates, loss: RankingLoss) -> Tensor:
    """Mean loss over the N positions by autograd, all logits at once: the reference for `mean_loss`."""
    return loss(candidates.adjust(score(queries, table, candidates.items)), candidates).mean()


def mean_loss(queries: Tensor, table: ItemTable, candidates: Candidates, loss: RankingLoss, *, rows: int) -> Tensor:
    """Mean loss over the N positions, `rows` positions at a time: never more than [rows, C] logits.

    Equal to `plain_loss`. The gradient is computed in the forward pass while a block's logits are still in cache,
    so nothing of size [N, C] is kept, and the products against the catalogue stay matrix products.
    """
    if candidates.items is not None and candidates.items.dim() == 2:
        return plain_loss(queries, table, candidates, loss)
    return _BlockedLoss.apply(queries, table.weight, table.bias, candidates, loss, rows)  # pyright: ignore


class _BlockedLoss(torch.autograd.Function):
    """The mean loss over positions against shared candidates; saves the gradients, not the logits."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        candidates: Candidates,
        loss: RankingLoss,
        rows: int,
    ) -> Tensor:
        items = candidates.items
        scored = weight if items is None else weight[items]  # [C, D]
        offset = bias if bias is None or items is None else bias[items]  # [C]
        grad_queries = torch.empty_like(queries)
        grad_scored = torch.zeros_like(scored)
        grad_offset = None if offset is None else torch.zeros_like(offset)
        total = queries.new_zeros(())
        for start in range(0, len(queries), rows):
            block = slice(start, start + rows)
            part = candidates.rows(block)
            logits = score(queries[block], ItemTable(scored, offset))
            value, gradient = loss.value_and_grad(part.adjust(logits), part)  # [n], [n, C]
            total += value.sum()
            torch.mm(gradient, scored, out=grad_queries[block])
            grad_scored.addmm_(gradient.T, queries[block])
            if grad_offset is not None:
                grad_offset += gradient.sum(0)
        ctx.save_for_backward(
            grad_queries, _scattered(grad_scored, items, weight), _scattered(grad_offset, items, bias)
        )
        ctx.count = len(queries)
        return total / ctx.count

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        scale = grad / ctx.count
        return (*(None if g is None else g * scale for g in ctx.saved_tensors), None, None, None)


def _scattered(gradient: Tensor | None, items: Tensor | None, parameter: Tensor | None) -> Tensor | None:
    """The gradient of a parameter from that of its chosen rows, which may repeat."""
    if gradient is None or parameter is None or items is None:
        return gradient
    return torch.zeros_like(parameter).index_add_(0, items, gradient)
