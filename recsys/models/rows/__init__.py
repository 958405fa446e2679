"""The rows of a batch: which cells are computed, which of them ask, and whom those see.

On a CPU the cells are the real positions, so that nothing is computed on padding; elsewhere they are all there are,
whose number is known without waiting for the device.
"""

from recsys.models.rows.base import Rows, last_state, rows_at_work
from recsys.models.rows.layout import packed_on, rows_of
from recsys.models.rows.packed import PackedRows
from recsys.models.rows.padded import PaddedRows

__all__ = ["PackedRows", "PaddedRows", "Rows", "last_state", "packed_on", "rows_at_work", "rows_of"]
