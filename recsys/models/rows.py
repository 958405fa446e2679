"""The rows of a batch as some encoders work on them: B right-padded rows of L columns, of which N cells are computed.

Layers that look at one position at a time take [N, D] and need not know of rows; attention and filters, which look
across, ask the `Rows`. On a CPU the N cells are the real positions, so that nothing is computed on padding; elsewhere
they are all B x L, whose number is known without waiting for the device.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.kernels.library import takes
from recsys.models.attention import attend, attend_plainly
from recsys.models.convolution import convolve, convolve_plainly
from recsys.products import spare


def packed_on(device: torch.device) -> bool:
    """Whether rows are packed there."""
    return device.type == "cpu"


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
    sees what stands up to itself; else all real positions of its row. Every cell asks; with `ends_only` the last real
    position of each row alone, so that their number Q is B and not N.
    """

    ends_only = False

    def __init__(self, lengths: Tensor, *, width: int, causal: bool) -> None:
        self.lengths = lengths.clamp(min=1)
        self.width = width
        self.causal = causal

    @staticmethod
    def of(lengths: Tensor, *, width: int, causal: bool) -> "Rows":
        """As they are best laid out on the device of `lengths`."""
        kind = PackedRows if packed_on(lengths.device) else PaddedRows
        return kind(lengths, width=width, causal=causal)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While open, `rows_at_work` are these."""
        token = _at_work.set(self)
        try:
            yield
        finally:
            _at_work.reset(token)

    def ends(self) -> Self:
        """The same rows, of which the last real positions alone ask."""
        return self._asking(ends_only=True)

    def whole(self) -> Self:
        """The same rows, of which every cell asks."""
        return self._asking(ends_only=False)

    @property
    @abstractmethod
    def num_cells(self) -> int:
        """N."""

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
        """[N, D] -> what stands at real positions, counted among all B x L when rows are laid end to end, [*, D]."""

    @abstractmethod
    def columns(self) -> tuple[Tensor, Tensor]:
        """Of each cell, its place in its row and the row's length: [N] and [N]."""

    @abstractmethod
    def attend(self, query: Tensor, key_value: Tensor, *, num_heads: int, dropout: float) -> Tensor:
        """softmax(q k' / sqrt(d)) v of each head, over the keys that a query sees: queries [Q, D] -> [Q, D].

        key_value: keys, then values, [N, 2 D]. dropout: on the weights.
        """

    def convolve(self, x: Tensor, filters: Tensor) -> Tensor:
        """y_t = sum over s <= t of filters[t - s] * x_s in each row: x [N, D], filters [L or more, D] -> [N, D]."""
        return self.cells(convolve_plainly(self.unpack(x), filters[: self.width]))

    def asking(self, x: Tensor) -> Tensor:
        """[N, D] -> the cells that ask, [Q, D]."""
        return self._ends(x) if self.ends_only else x

    def real(self) -> Tensor:
        """Whether a position is one of its row, [B, L, 1] bool."""
        return (torch.arange(self.width, device=self.lengths.device) < self.lengths[:, None])[:, :, None]

    def mask(self) -> Tensor:
        """Who may see whom, bool: the padding mask of the keys, times the causal mask where that applies.

        [B, 1, L, L]; without a causal mask, or where the ends alone ask, [B, 1, 1, L].
        """
        keys = self.real()[:, None, None, :, 0]  # [B, 1, 1, L]
        if self.ends_only or not self.causal:
            return keys
        columns = torch.arange(self.width, device=self.lengths.device)
        return keys & (columns <= columns[:, None])

    @abstractmethod
    def _ends(self, x: Tensor) -> Tensor: ...

    def _asking(self, *, ends_only: bool) -> Self:
        rows = copy.copy(self)
        rows.ends_only = ends_only
        return rows


class PaddedRows(Rows):
    """Every cell, padding too; attention is torch's own."""

    @property
    def num_cells(self) -> int:
        return len(self.lengths) * self.width

    def pack(self, items: Tensor) -> Tensor:
        return items.flatten()

    def unpack(self, x: Tensor) -> Tensor:
        return x.unflatten(0, (-1, self.width))

    def cells(self, x: Tensor) -> Tensor:
        return x.flatten(0, 1)

    def at(self, x: Tensor, places: Tensor) -> Tensor:
        return x.index_select(0, places)

    def columns(self) -> tuple[Tensor, Tensor]:
        columns = torch.arange(self.width, device=self.lengths.device)
        return columns.repeat(len(self.lengths)), self.lengths.repeat_interleave(self.width)

    def attend(self, query: Tensor, key_value: Tensor, *, num_heads: int, dropout: float) -> Tensor:
        query, key, value = _heads(query, key_value, num_rows=len(self.lengths), num_heads=num_heads)
        hides_padding = self.causal and not self.ends_only  # padding stands behind every real position
        mask = None if hides_padding else self.mask()
        mixed = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=hides_padding, dropout_p=dropout
        )
        return _side_by_side(mixed)

    def _ends(self, x: Tensor) -> Tensor:
        return last_state(self.unpack(x), self.lengths)


class PackedRows(Rows):
    """Real positions alone, one row after the other, and cells of no row behind them, which make N a round number."""

    def __init__(self, lengths: Tensor, *, width: int, causal: bool) -> None:
        super().__init__(lengths, width=width, causal=causal)
        self._is_real = self.real().flatten(0, 1)  # of all B x L, [B L, 1]
        real = self._is_real.squeeze(1)
        places = real.nonzero().squeeze(1)
        self._places = F.pad(places, (0, spare(len(places))))  # of the cells among all B x L, [N]
        self._cells = (real.cumsum(0) - 1).clamp(min=0)  # of all B x L, where the last real position stands, [B L]
        self._is_own = (torch.arange(len(self._places)) < len(places))[:, None]

    @property
    def num_cells(self) -> int:
        return len(self._places)

    def pack(self, items: Tensor) -> Tensor:
        return items.flatten()[self._places]

    def unpack(self, x: Tensor) -> Tensor:
        flat: Tensor = _Moved.apply(x, self._cells, self._places, self._is_own)  # pyright: ignore[reportAssignmentType]
        return flat.unflatten(0, (-1, self.width))

    def cells(self, x: Tensor) -> Tensor:
        flat = x.flatten(0, 1)
        return _Moved.apply(flat, self._places, self._cells, self._is_real)  # pyright: ignore[reportReturnType]

    def at(self, x: Tensor, places: Tensor) -> Tensor:
        return x.index_select(0, self._cells[places])

    def columns(self) -> tuple[Tensor, Tensor]:
        return self._places % self.width, self.lengths[self._places // self.width]

    def attend(self, query: Tensor, key_value: Tensor, *, num_heads: int, dropout: float) -> Tensor:
        if takes(query):
            asking = {"causal": self.causal, "ends": self.ends_only}
            return attend(query, key_value, self.lengths, num_heads=num_heads, dropout=dropout, **asking)
        query = query if self.ends_only else self.unpack(query).flatten(0, 1)
        padded = _heads(query, self.unpack(key_value).flatten(0, 1), num_rows=len(self.lengths), num_heads=num_heads)
        mixed = _side_by_side(attend_plainly(*padded, self.mask(), dropout=dropout))
        return mixed if self.ends_only else self.cells(mixed.unflatten(0, (-1, self.width)))

    def convolve(self, x: Tensor, filters: Tensor) -> Tensor:
        return convolve(x, filters, self.lengths) if takes(x) else super().convolve(x, filters)

    def _ends(self, x: Tensor) -> Tensor:
        return x.index_select(0, self.lengths.cumsum(0) - 1)


def _heads(query: Tensor, key_value: Tensor, *, num_rows: int, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of B padded rows, queries [Q, D], keys and values [B L, 2 D] -> [B, H, Q / B, d] and [B, H, L, d] twice."""
    query, key, value = (
        part.unflatten(0, (num_rows, -1)).unflatten(2, (num_heads, -1)).transpose(1, 2)
        for part in (query, *key_value.chunk(2, dim=1))
    )
    return query, key, value


def _side_by_side(mixed: Tensor) -> Tensor:
    """What the heads made of B padded rows, [B, H, Q / B, d] -> [Q, D]."""
    return mixed.transpose(1, 2).flatten(2).flatten(0, 1)


class _Moved(torch.autograd.Function):
    """`x[there]`; its gradient is `grad[back]` where `live`, 0 elsewhere: what moves by an index comes back by one.

    torch's own gradient adds to each place one by one, many times slower.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Tensor, back: Tensor, live: Tensor) -> Tensor:
        ctx.save_for_backward(back, live)
        return x.index_select(0, there)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        back, live = ctx.saved_tensors
        return grad.index_select(0, back).mul_(live), None, None, None
