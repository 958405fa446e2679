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
    sees what stands up to itself; else all real positions of its row. Every cell asks, so that their number Q is N; see
    `ends`.
    """

    def __init__(self, lengths: Tensor, *, width: int, causal: bool) -> None:
        self.lengths = lengths.clamp(min=1)
        self.width = width
        self.causal = causal
        self.num_whole = len(lengths)  # rows of which every cell asks

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


class PaddedRows(Rows):
    """Every cell, padding too; attention is torch's own."""

    @property
    def num_cells(self) -> int:
        return len(self.lengths) * self.width

    @property
    def num_whole_cells(self) -> int:
        return self.num_whole * self.width

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

    def _attend(self, query: Tensor, key_value: Tensor, *, num_heads: int, dropout: float) -> Tensor:
        query, key, value = _heads(query, key_value, num_rows=len(self.lengths), num_heads=num_heads)
        hides_padding = self.causal and self._is_whole  # padding stands behind every real position
        mask = None if hides_padding else self.mask()
        mixed = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=hides_padding, dropout_p=dropout
        )
        return _side_by_side(mixed)

    def _asking(self, x: Tensor) -> Tensor:
        first, others = x.tensor_split([self.num_whole_cells])
        return torch.cat([first, last_state(self.unpack(others), self.lengths[self.num_whole :])])


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

    @property
    def num_whole_cells(self) -> int:
        return int(self.lengths[: self.num_whole].sum())

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
            asking = {"causal": self.causal, "num_whole": self.num_whole}
            return attend(query, key_value, self.lengths, num_heads=num_heads, dropout=dropout, **asking)
        return super().attend(query, key_value, num_heads=num_heads, dropout=dropout)

    def _attend(self, query: Tensor, key_value: Tensor, *, num_heads: int, dropout: float) -> Tensor:
        query = self.unpack(query).flatten(0, 1) if self._is_whole else query
        padded = _heads(query, self.unpack(key_value).flatten(0, 1), num_rows=len(self.lengths), num_heads=num_heads)
        mixed = _side_by_side(attend_plainly(*padded, self.mask(), dropout=dropout))
        return self.cells(mixed.unflatten(0, (-1, self.width))) if self._is_whole else mixed

    def convolve(self, x: Tensor, filters: Tensor) -> Tensor:
        return convolve(x, filters, self.lengths) if takes(x) else super().convolve(x, filters)

    def _asking(self, x: Tensor) -> Tensor:
        cells = (self.lengths.cumsum(0) - 1)[self.num_whole :]
        if self.num_whole:  # so many that their number had better be round
            cells = torch.cat([torch.arange(self.num_whole_cells), cells])
            cells = F.pad(cells, (0, spare(len(cells))))
        return x.index_select(0, cells)


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
