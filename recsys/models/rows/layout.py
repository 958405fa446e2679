"""Which kind of rows a device is given."""

import torch
from torch import Tensor

from recsys.models.rows.base import Rows
from recsys.models.rows.packed import PackedRows
from recsys.models.rows.padded import PaddedRows


def packed_on(device: torch.device) -> bool:
    """Whether rows are packed there."""
    return device.type == "cpu"


def rows_of(lengths: Tensor, *, width: int, causal: bool) -> Rows:
    """As they are best laid out on the device of `lengths`: [B], real positions of each row; see `Rows`."""
    kind = PackedRows if packed_on(lengths.device) else PaddedRows
    return kind(lengths, width=width, causal=causal)
