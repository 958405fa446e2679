"""From hidden states to a mean loss in bounded memory."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsys.candidates import Candidates
from recsys.losses.base import RankingLoss
from recsys.parallel import num_workers, on_workers
from recsys.products import pieces
from recsys.scoring.columns import columns
from recsys.scoring.cross_entropy import cross_entropy, fuses
from recsys.scoring.table import ItemTable, score, total


def plain_loss(queries: Tensor, table: ItemTable, candidates: Candidates, loss: RankingLoss) -> Tensor:
    """Mean loss over the N positions by autograd, all logits at once: the reference for `mean_loss`."""
    candidates = candidates.heated(loss.temperature)
    items = candidates.items if candidates.own is None else candidates.columns()
    logits = score(queries, table.less(candidates.log_q), items)
    return loss(candidates.adjust(logits), candidates).mean()


def mean_loss(
    queries: Tensor,
    table: ItemTable,
    candidates: Candidates,
    loss: RankingLoss,
    *,
    rows: int,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Mean loss over the N positions, block by block: never more than [rows, V] numbers (or 4 MB, if that is more) and
    a gradient of the table for each of two workers, or [96, V] and that for each thread where `cross_entropy` takes it,
    and two copies of the table.

    Equal to `plain_loss`. The gradient is computed in the forward pass while a block's logits are still in cache, so
    nothing of size [N, C] or [N, C, D] is kept, and products against shared items stay matrix products. Mixed precision
    ends here: logits have the table's own. dtype: of the matrix products with items that positions share, None: the
    table's; in bfloat16 logits and gradients are rounded to eight binary digits, what lies between is not.

    Where the table's gradient is to be sparse, the rows that the batch needs become a table of their own first, so
    that a step takes the same time whatever the size of the catalogue.
    """
    candidates = candidates.heated(loss.temperature)
    table = table.less(candidates.log_q)
    if table.sparse and (needed := candidates.distinct()) is not None:
        table, candidates = table.take(needed), candidates.renumbered(needed)
    with torch.autocast(queries.device.type, enabled=False):
        queries = queries.to(table.weight.dtype).contiguous()
        return _BlockedLoss.apply(queries, table.weight, table.bias, candidates, loss, rows, dtype)  # pyright: ignore


class _BlockedLoss(torch.autograd.Function):
    """The mean loss over positions; saves the gradients, not the logits."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        candidates: Candidates,
        loss: RankingLoss,
        rows: int,
        dtype: torch.dtype | None,
    ) -> Tensor:
        table = ItemTable(weight, bias)
        if fuses(table, candidates, loss, rows=rows, dtype=dtype):
            value, grad_queries, gradient = cross_entropy(
                queries, table, candidates.target, temperature=loss.temperature
            )
        else:
            value, grad_queries, gradient = _in_blocks(queries, table, candidates, loss, rows=rows, dtype=dtype)
        ctx.save_for_backward(grad_queries, gradient.weight, gradient.bias)
        ctx.count = len(queries)
        return value.sum() / ctx.count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        scale = grad / ctx.count
        return (*(None if g is None else g * scale for g in ctx.saved_tensors), None, None, None, None)


def _in_blocks(
    queries: Tensor,
    table: ItemTable,
    candidates: Candidates,
    loss: RankingLoss,
    *,
    rows: int,
    dtype: torch.dtype | None,
) -> tuple[Tensor, Tensor, ItemTable]:
    """The loss of each position [N] and its gradients in queries [N, D] and the table, whatever the loss."""
    value, grad_queries = queries.new_empty(len(queries)), torch.empty_like(queries)

    def share(positions: slice) -> ItemTable:
        """Does those positions; their gradient in the table."""
        mine = candidates.rows(positions)
        scored = columns(table, mine, rows=rows, dtype=dtype)
        given, found, wanted = queries[positions], value[positions], grad_queries[positions]
        for block in pieces(len(given), scored.rows):
            part = mine.rows(block)
            logits = part.adjust_(scored.logits(given[block], part))
            found[block], gradient = loss.value_and_grad(logits, part)  # [n], [n, C]
            scored.add_gradient(gradient, given[block], part, wanted[block])
        return scored.table_gradient()

    gradients = on_workers(share, _shares(queries, table.weight, candidates, rows=rows))
    return value, grad_queries, total(gradients)


def _shares(queries: Tensor, weight: Tensor, candidates: Candidates, *, rows: int) -> list[slice]:
    """Positions for each worker, a block at least; few logits are not worth a second gradient of the table."""
    columns = len(weight) if candidates.items is None else candidates.items.shape[-1]
    worth = len(queries) * columns >= 16 * len(weight) + 2**16
    count = num_workers() if worth and queries.device.type == "cpu" else 1
    size = max(rows, -(-len(queries) // count))
    return [slice(start, min(start + size, len(queries))) for start in range(0, len(queries), size)]
