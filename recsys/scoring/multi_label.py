"""Binary cross-entropy over many labels at once, in bounded memory."""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsys.losses.links import sigmoid_


class Labels(NamedTuple):
    """The labels of N positions that are on, P of them. row: [P] int64, ascending; column: [P] int64; no pair twice."""

    row: Tensor
    column: Tensor


def multi_label_loss(queries: Tensor, table: Tensor, labels: Labels, *, rows: int) -> Tensor:
    """sum_n sum_a softplus(x_na) - y_na x_na, x = queries [N, D] times table [A, D] transposed, y the labels.

    That is -log s(x) for a label that is on and -log(1 - s(x)) for one that is off, s the sigmoid. The gradient is made
    in the forward pass, block by block of `rows` positions, while their logits are still in cache: nothing of size
    [N, A] is kept, and no multi-hot matrix is made at all.
    """
    with torch.autocast(queries.device.type, enabled=False):
        return _BlockedLoss.apply(queries.to(table.dtype), table, labels, rows)  # pyright: ignore


class _BlockedLoss(torch.autograd.Function):
    """The summed loss; saves the gradients, not the logits."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, table: Tensor, labels: Labels, rows: int) -> Tensor:
        to_queries, to_table = torch.empty_like(queries), torch.zeros_like(table)
        total = queries.new_zeros(())
        starts = range(0, len(queries), rows)
        ends = torch.searchsorted(labels.row, torch.tensor([*starts, len(queries)], device=labels.row.device)).tolist()
        for number, start in enumerate(starts):
            block, on = slice(start, start + rows), slice(ends[number], ends[number + 1])
            logits = queries[block] @ table.T  # [n, A]
            place = (labels.row[on] - start) * len(table) + labels.column[on]
            total -= logits.view(-1)[place].sum()
            gradient, costs = sigmoid_(logits)  # minus 1 where a label is on
            total += costs.sum()
            gradient.view(-1).index_add_(0, place, gradient.new_full(place.shape, -1))
            torch.mm(gradient, table, out=to_queries[block])
            to_table.addmm_(gradient.T, queries[block])
        ctx.save_for_backward(to_queries, to_table)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple:
        to_queries, to_table = ctx.saved_tensors
        return to_queries * grad, to_table * grad, None, None
