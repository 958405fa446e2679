"""The output layer as data, and the product with it."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class ItemTable(NamedTuple):
    """The output layer: one row per item. weight: [V, D]; bias: [V] or None.

    sparse: whether the weight's gradient is to be a sparse tensor of the rows that were used, where not all were.
    """

    weight: Tensor
    bias: Tensor | None
    sparse: bool = False

    def take(self, items: Tensor | None) -> "ItemTable":
        """The rows of chosen items, of any shape: weight [*, D], bias [*]; None: all of them."""
        if items is None:
            return self
        weight = F.embedding(items, self.weight, sparse=self.sparse)
        return ItemTable(weight, None if self.bias is None else self.bias[items])

    def less(self, log_q: Tensor | None) -> "ItemTable":
        """The table whose logits are lower by `log_q` [V]: a correction of the logit is one of the item's bias."""
        if log_q is None:
            return self
        return self._replace(bias=-log_q if self.bias is None else self.bias - log_q)


def score(queries: Tensor, table: ItemTable, items: Tensor | None = None) -> Tensor:
    """Logits of queries [N, D] against items [N, C], [C] or None (the catalogue, C = V) -> [N, C]."""
    weight, bias, _ = table.take(items)  # [N, C, D] or [C, D]
    if weight.dim() == 2:
        return queries @ weight.T if bias is None else torch.addmm(bias, queries, weight.T)
    logits = torch.bmm(queries.unsqueeze(1), weight.transpose(1, 2)).squeeze(1)  # each position has items of its own
    return logits if bias is None else logits + bias


def total(tables: Sequence[ItemTable]) -> ItemTable:
    """Their sum, in the place of the first."""
    first, *others = tables
    for other in others:
        first.weight.add_(other.weight)
        if first.bias is not None and other.bias is not None:
            first.bias.add_(other.bias)
    return first
