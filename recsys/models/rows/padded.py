"""Rows with their padding, as computed on a GPU: how many cells there are is known without waiting for the device."""

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.models.rows.base import Rows, last_state
from recsys.models.rows.heads import heads_of, side_by_side


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
        query, key, value = heads_of(query, key_value, num_rows=len(self.lengths), num_heads=num_heads)
        hides_padding = self.causal and self._is_whole  # padding stands behind every real position
        mask = None if hides_padding else self.mask()
        mixed = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=hides_padding, dropout_p=dropout
        )
        return side_by_side(mixed)

    def _asking(self, x: Tensor) -> Tensor:
        first, others = x.tensor_split([self.num_whole_cells])
        return torch.cat([first, last_state(self.unpack(others), self.lengths[self.num_whole :])])
