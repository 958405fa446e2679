"""Logits of a block of positions and the gradients of what made them, one class per layout of the candidates.

N positions, n of them in a block, C candidates, V items, D hidden size. None of this is recorded by autograd: a block
goes through `logits`, the loss, and `add_gradient`, and its logits are forgotten before the next block's are made.
"""

from typing import ClassVar, Protocol

import torch
from torch import Tensor

from recsys.candidates import Candidates
from recsys.kernels.library import call, takes
from recsys.products import add_product, product
from recsys.scoring.table import ItemTable, score, total

BLOCK_NUMBERS = 2**26  # logits held at once, at most: 256 MB; below that, `rows` decides
CACHED_NUMBERS = 2**20  # held at once of what is used again soon: 4 MB, still in cache then


class Columns(Protocol):
    """The columns that a batch's positions are scored against.

    rows: positions per block, fewer than asked for where their logits would take too much memory.
    """

    rows: int

    def logits(self, queries: Tensor, part: Candidates) -> Tensor:
        """Queries [n, D] and their candidates -> [n, C]."""
        ...

    def add_gradient(self, gradient: Tensor, queries: Tensor, part: Candidates, out: Tensor) -> None:
        """The gradient in the logits [n, C] of the same block: written to `out` [n, D] for the queries, added up for
        the table.
        """
        ...

    def table_gradient(self) -> ItemTable:
        """What has been added up, in the shape of the table."""
        ...


def columns(table: ItemTable, candidates: Candidates, *, rows: int, dtype: torch.dtype | None) -> Columns:
    """The cheapest way to score the candidates, by their layout alone. dtype: of matrix products, None: the table's.

    Items of each position's own are C rows of the table per position, or picked from the product with the whole table,
    V rows. Forward and backward on one CPU core with N = 13,000 and D = 64, in ms:

        V        C    compiled  gathered  product
        3,416    2    .5        5         190
        3,416    257  54        135       190
        3,416    401  90        190       190
        100,000  101  93        150       10,200 (from 1,300 positions)

    so the product wins from about C = V / 4 on, V / 8 where nothing is compiled. D does not matter: all take time in
    proportion to it.
    """
    items = candidates.items
    if items is None or items.dim() == 1:
        shared = SharedColumns(table, items=items, rows=rows, dtype=dtype)
        return shared if candidates.own is None else OwnAndSharedColumns(table, shared=shared)
    kind = IndexedColumns if takes(table.weight) else GatheredColumns
    if kind.as_many_in_product * items.shape[1] >= len(table.weight):
        return PickedColumns(SharedColumns(table, items=None, rows=rows, dtype=dtype))
    return kind(table, num_columns=items.shape[1])


class SharedColumns:
    """All positions against the same items [C], or the whole catalogue: matrix products.

    dtype: of what is multiplied, None: the table's; logits and gradients have the table's in any case.
    """

    def __init__(self, table: ItemTable, *, items: Tensor | None, rows: int, dtype: torch.dtype | None) -> None:
        self.table = table
        self.items = items
        self.scored = table.take(items)  # [C, D]
        self.factor = self.scored.weight.to(dtype or table.weight.dtype)
        self.rows = max(1, min(rows, BLOCK_NUMBERS // len(self.factor)))
        self.room = table.weight.new_empty(self.rows, len(self.factor))  # fresh memory for each block: a twentieth more
        self.gradient = _zeros_like(self.scored)

    def logits(self, queries: Tensor, part: Candidates) -> Tensor:
        logits = self.room[: len(queries)]
        product(queries.to(self.factor.dtype), self.factor.T, logits)
        return logits if self.scored.bias is None else logits.add_(self.scored.bias)

    def add_gradient(self, gradient: Tensor, queries: Tensor, part: Candidates, out: Tensor) -> None:
        if self.gradient.bias is not None:
            self.gradient.bias.add_(gradient.sum(0))
        gradient = gradient.to(self.factor.dtype)
        product(gradient, self.factor, out)
        add_product(self.gradient.weight, gradient.T, queries.to(self.factor.dtype))

    def table_gradient(self) -> ItemTable:
        if self.items is None:
            return self.gradient
        whole = _zeros_like(self.table)
        _add_rows(whole, self.items, self.gradient)
        return whole


class OwnAndSharedColumns:
    """Column 0 is an item of each position's own, the others are shared."""

    def __init__(self, table: ItemTable, *, shared: SharedColumns) -> None:
        self.table = table
        self.shared = shared
        self.rows = shared.rows
        self.gradient = _zeros_like(table)

    def logits(self, queries: Tensor, part: Candidates) -> Tensor:
        assert part.own is not None
        return torch.cat([score(queries, self.table, part.own[:, None]), self.shared.logits(queries, part)], dim=1)

    def add_gradient(self, gradient: Tensor, queries: Tensor, part: Candidates, out: Tensor) -> None:
        assert part.own is not None
        own = gradient[:, :1]  # [n, 1]
        self.shared.add_gradient(gradient[:, 1:], queries, part, out)
        out.addcmul_(own, self.table.weight[part.own])
        _add_rows(self.gradient, part.own, ItemTable(own * queries, own.squeeze(1)))

    def table_gradient(self) -> ItemTable:
        return total([self.gradient, self.shared.table_gradient()])


class IndexedColumns:
    """Each position against items [n, C] of its own, few beside the catalogue: their rows are read where they stand.

    In C (recsys/kernels/gathered.c). as_many_in_product: rows of a product that take as long as one of these.
    """

    as_many_in_product: ClassVar[int] = 4

    def __init__(self, table: ItemTable, *, num_columns: int) -> None:
        self.table = table._replace(weight=table.weight.contiguous())
        self.gradient = _zeros_like(self.table)
        self.rows = max(1, CACHED_NUMBERS // num_columns)

    def logits(self, queries: Tensor, part: Candidates) -> Tensor:
        assert part.items is not None
        logits = queries.new_empty(part.items.shape)
        size = (*part.items.shape, queries.shape[1])
        weight = self.table.weight
        if not call("score_gathered", queries, weight, len(weight), part.items.contiguous(), logits, *size):
            raise IndexError(
                f"candidates from {part.items.min()} to {part.items.max()}: items are 0 to {len(weight) - 1}"
            )
        bias = self.table.bias
        return logits if bias is None else logits.add_(bias[part.items])

    def add_gradient(self, gradient: Tensor, queries: Tensor, part: Candidates, out: Tensor) -> None:
        assert part.items is not None
        given = (gradient.contiguous(), queries, self.table.weight, part.items.contiguous())
        size = (*part.items.shape, queries.shape[1])
        call("gathered_gradient", *given, out, self.gradient.weight, *size)
        if self.gradient.bias is not None:
            self.gradient.bias.index_add_(0, part.items.flatten(), gradient.flatten())

    def table_gradient(self) -> ItemTable:
        return self.gradient


class GatheredColumns:
    """The same where nothing is compiled: the rows are gathered, [n, C, D]."""

    as_many_in_product: ClassVar[int] = 8

    def __init__(self, table: ItemTable, *, num_columns: int) -> None:
        self.table = table
        self.gradient = _zeros_like(table)
        dim = table.weight.shape[1]
        self.rows = max(1, CACHED_NUMBERS // (num_columns * dim))
        self.gathered = table.weight.new_empty(self.rows * num_columns, dim)  # of the block in hand; made once

    def logits(self, queries: Tensor, part: Candidates) -> Tensor:
        assert part.items is not None
        torch.index_select(self.table.weight, 0, part.items.flatten(), out=self._gathered(part).flatten(0, 1))
        logits = torch.bmm(queries.unsqueeze(1), self._gathered(part).transpose(1, 2)).squeeze(1)
        bias = self.table.bias
        return logits if bias is None else logits.add_(bias[part.items])

    def add_gradient(self, gradient: Tensor, queries: Tensor, part: Candidates, out: Tensor) -> None:
        assert part.items is not None
        rows = self._gathered(part)
        torch.bmm(gradient.unsqueeze(1), rows, out=out.unsqueeze(1))
        torch.mul(gradient.unsqueeze(2), queries.unsqueeze(1), out=rows)  # what they held is no longer needed
        _add_rows(self.gradient, part.items.flatten(), ItemTable(rows.flatten(0, 1), gradient.flatten()))

    def table_gradient(self) -> ItemTable:
        return self.gradient

    def _gathered(self, part: Candidates) -> Tensor:
        assert part.items is not None
        return self.gathered[: part.items.numel()].view(*part.items.shape, -1)  # [n, C, D]


class PickedColumns:
    """Each position against items [n, C] of its own, many beside the catalogue: picked from the product with all V."""

    def __init__(self, catalogue: SharedColumns) -> None:
        self.catalogue = catalogue
        self.rows = catalogue.rows

    def logits(self, queries: Tensor, part: Candidates) -> Tensor:
        assert part.items is not None
        return self.catalogue.logits(queries, part).gather(1, part.items)

    def add_gradient(self, gradient: Tensor, queries: Tensor, part: Candidates, out: Tensor) -> None:
        assert part.items is not None
        spread = gradient.new_zeros(len(gradient), len(self.catalogue.table.weight))  # [n, V]
        spread.scatter_add_(1, part.items, gradient)  # an item may have been drawn twice
        self.catalogue.add_gradient(spread, queries, part, out)

    def table_gradient(self) -> ItemTable:
        return self.catalogue.table_gradient()


def _zeros_like(table: ItemTable) -> ItemTable:
    return ItemTable(torch.zeros_like(table.weight), None if table.bias is None else torch.zeros_like(table.bias))


def _add_rows(total: ItemTable, items: Tensor, rows: ItemTable) -> None:
    """Adds rows to those of items [M], which may repeat."""
    total.weight.index_add_(0, items, rows.weight)
    if total.bias is not None and rows.bias is not None:
        total.bias.index_add_(0, items, rows.bias)
