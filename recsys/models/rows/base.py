"""The rows of a batch as some encoders work on them: B right-padded rows of L columns, of which N cells are computed.

Layers that look at one position at a time take [N, D] and need not know of rows; attention and filters, which look
across, ask the `Rows`.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.models.convolution import convolve_plainly


def last_state(states: Tensor, lengths: Tensor) -> Tensor:
    """What stands at each row's last real position: states [B, L, *], lengths [B] -> [B, *]."""
    return states[torch.arange(len(states), device=states.device), lengths - 1]


_at_work: "ContextVar[Rows | None]" = ContextVar("rows", default=None)


def rows_at_work() -> "Rows | None":
    """Those whose cells this thread is encoding, for whoever looks at hidden states as they are made."""
    return _at_work.get()


class Rows(ABC):
    """Which cells there are, which of them ask, and whom those see.

    lengths: real positions of each row, [B]; of a row without any, one is taken to be. width: L. causal: a position
    sees what stands up to itself; else all real positions of its row. Every cell asks, so that their number Q is N; see
    `ends`.
    """

    def __init__(self, lengths: Tensor, *, width: int, causal: bool) -> None:
        self.lengths = lengths.clamp(min=1)
        self.width = width
        self.causal = causal
        self.num_whole = len(lengths)  # rows of which every cell asks

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While open, `rows_at_work` are these."""
        token = _at_work.set(self)
        try:
            yield
        finally:
            _at_work.reset(token)

    def ends(self, *, after: int = 0) -> Self:
        """The same rows, of which, but for the first `after`, the last real positions alone ask.

        Their states follow those of the first rows' cells: where `after` is 0, Q is B.
        """
        rows = copy.copy(self)
        rows.num_whole = after
        return rows

    def whole(self) -> Self:
        """The same rows, of which every cell asks."""
        return self.ends(after=len(self.lengths))

    @property
    @abstractmethod
    def num_cells(self) -> int:
        """N."""

    @property
    @abstractmethod
    def num_whole_cells(self) -> int:
        """Cells of the rows of which every cell asks."""

    @abstractmethod
    def pack(self, items: Tensor) -> Tensor:
        """What stands in the cells, of ids [B, L]: [N]."""

    @abstractmethod
    def unpack(self, x: Tensor) -> Tensor:
        """[N, D] -> [B, L, D]; at padding some state that bears no gradient."""

    @abstractmethod
    def cells(self, x: Tensor) -> Tensor:
        """What stands in the cells, of states [B, L, D]: [N, D]."""

    @abstractmethod
    def at(self, x: Tensor, places: Tensor) -> Tensor:
        """[N, D] -> what stands at real positions, counted among all B x L when rows are laid end to end, [*, D].

        Of states [Q, D] those of rows can be told of which every cell asks.
        """

    def at_ends(self, states: Tensor) -> Tensor:
        """[Q, D] -> the states of the rows of which the last real position alone asks, [*, D]."""
        return states[self.num_whole_cells :][: len(self.lengths) - self.num_whole]

    @abstractmethod
    def columns(self) -> tuple[Tensor, Tensor]:
        """Of each cell, its place in its row and the row's length: [N] and [N]."""

    def attend(self, query: Tensor, key_value: Tensor, *, num_heads: int, dropout: float) -> Tensor:
        """softmax(q k' / sqrt(d)) v of each head, over the keys that a query sees: queries [Q, D] -> [Q, D].

        key_value: keys, then values, [N, 2 D]. dropout: on the weights.
        """
        alike = self.num_whole in (0, len(self.lengths))
        return (self._attend if alike else self._attend_in_two)(query, key_value, num_heads=num_heads, dropout=dropout)

    def convolve(self, x: Tensor, filters: Tensor) -> Tensor:
        """y_t = sum over s <= t of filters[t - s] * x_s in each row: x [N, D], filters [L or more, D] -> [N, D]."""
        return self.cells(convolve_plainly(self.unpack(x), filters[: self.width]))

    def asking(self, x: Tensor) -> Tensor:
        """[N, D] -> the cells that ask, [Q, D]."""
        return x if self._is_whole else self._asking(x)

    def real(self) -> Tensor:
        """Whether a position is one of its row, [B, L, 1] bool."""
        return (torch.arange(self.width, device=self.lengths.device) < self.lengths[:, None])[:, :, None]

    def mask(self) -> Tensor:
        """Who may see whom, bool: the padding mask of the keys, times the causal mask where that applies.

        [B, 1, L, L]; without a causal mask, or where the ends of all rows alone ask, [B, 1, 1, L].
        """
        keys = self.real()[:, None, None, :, 0]  # [B, 1, 1, L]
        if not (self.causal and self._is_whole):
            return keys
        columns = torch.arange(self.width, device=self.lengths.device)
        return keys & (columns <= columns[:, None])

    @property
    def _is_whole(self) -> bool:
        return self.num_whole == len(self.lengths)

    @abstractmethod
    def _asking(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def _attend(self, query: Tensor, key_value: Tensor, *, num_heads: int, dropout: float) -> Tensor:
        """Attention of rows of which every cell asks, or of which the ends alone do."""

    def _attend_in_two(self, query: Tensor, key_value: Tensor, *, num_heads: int, dropout: float) -> Tensor:
        """Attention of the rows of which every cell asks, then of the others."""
        count, options = self.num_whole_cells, {"num_heads": num_heads, "dropout": dropout}
        first, others = (
            type(self)(lengths, width=self.width, causal=self.causal)
            for lengths in self.lengths.tensor_split([self.num_whole])
        )
        mixed = first.attend(query[:count], key_value[:count], **options)[:count]
        ends = others.ends().attend(self.at_ends(query), key_value[count:], **options)
        return F.pad(torch.cat([mixed, ends]), (0, 0, 0, len(query) - count - len(ends)))
