"""Rows without their padding, as computed on a CPU: nothing is computed that bears no gradient."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.kernels.library import takes
from recsys.models.attention import attend, attend_plainly
from recsys.models.convolution import convolve
from recsys.models.rows.base import Rows
from recsys.models.rows.heads import heads_of, side_by_side
from recsys.products import spare


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
        padded = heads_of(query, self.unpack(key_value).flatten(0, 1), num_rows=len(self.lengths), num_heads=num_heads)
        mixed = side_by_side(attend_plainly(*padded, self.mask(), dropout=dropout))
        return self.cells(mixed.unflatten(0, (-1, self.width))) if self._is_whole else mixed

    def convolve(self, x: Tensor, filters: Tensor) -> Tensor:
        return convolve(x, filters, self.lengths) if takes(x) else super().convolve(x, filters)

    def _asking(self, x: Tensor) -> Tensor:
        cells = (self.lengths.cumsum(0) - 1)[self.num_whole :]
        if self.num_whole:  # so many that their number had better be round
            cells = torch.cat([torch.arange(self.num_whole_cells), cells])
            cells = F.pad(cells, (0, spare(len(cells))))
        return x.index_select(0, cells)


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
