"""Rows of different lengths as a module's buffers, to be looked up where the module is."""

import torch
from torch import Tensor, nn

from recsys.data.ragged import Ragged


class RaggedBuffers(nn.Module):
    """Rows laid end to end, moved from device to device with the module that holds them, never saved with it."""

    values: Tensor
    starts: Tensor
    lengths: Tensor

    def __init__(self, rows: Ragged) -> None:
        super().__init__()
        laid_out = Ragged.from_lengths(rows.flat(), rows.lengths)
        for name in ("values", "starts", "lengths"):
            self.register_buffer(name, torch.tensor(getattr(laid_out, name)), persistent=False)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The values of rows [B], laid end to end, M of them: whose of the B each is [M], and what it is [M]."""
        lengths = self.lengths[rows]
        whose = torch.repeat_interleave(lengths)  # [M]
        shift = self.starts[rows] - (lengths.cumsum(0) - lengths)  # [B]
        return whose, self.values[torch.arange(len(whose), device=rows.device) + shift[whose]]
