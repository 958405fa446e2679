"""What travels from the data to the model: named tuples of tensors, shapes in the docstrings."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recsys.data.parts import Part, RowSizes, cut


class TrainBatch(NamedTuple):
    """One training batch; `TrainBatch.of` makes it. Right-padded: under a causal mask no padding is ever attended to.

    users: [B] int64, user index.
    items: [B, L] int64, input ids, `pad` after each row's end.
    targets: [B, L] int64, the item to predict at each position; anything where the mask is off.
    target_mask: [B, L] bool, the positions that bear a loss, N of them.
    places: [N] int64, where those are, row after row, when rows are laid end to end. Found where the batch is made, on
        the CPU: finding them on a GPU would make the step wait for it.
    timestamps: [B, L] int64, seconds, when each input came about, 0 at padding; None where the data has no times.
    sizes: items and targets in each row, where the batch may be encoded in parts.
    """

    users: Tensor
    items: Tensor
    targets: Tensor
    target_mask: Tensor
    places: Tensor
    timestamps: Tensor | None = None
    sizes: RowSizes | None = None

    @classmethod
    def of(
        cls,
        users: Tensor,
        items: Tensor,
        targets: Tensor,
        *,
        target_mask: Tensor,
        timestamps: Tensor | None = None,
        lengths: np.ndarray | None = None,
    ) -> "TrainBatch":
        """The batch with those targets. lengths: [B], items in each row, where it may be cut into parts."""
        places = target_mask.flatten().nonzero().squeeze(1)
        sizes = None if lengths is None else RowSizes(lengths, num_targets=target_mask.sum(1).numpy())
        return cls(users, items, targets, target_mask, places, timestamps, sizes)

    def cut(self, *, packed: bool) -> tuple[Part, ...]:
        """The parts that are best encoded one by one; their target positions follow each other as in the whole.

        What is computed row by row is the same either way, and a step still sees the whole batch: unlike batches of
        like length, parts of like length change nothing about training.

        packed: whether the encoder computes nothing on padding.
        """
        if self.sizes is None:
            whole = slice(0, len(self.items)), self.items.shape[1], slice(0, len(self.places))
            return (Part(*whole, cost=self.items.numel()),)
        return cut(self.sizes, width=self.items.shape[1], packed=packed)

    def part(self, part: Part) -> "TrainBatch":
        """Those rows alone."""
        rows, width, places, _ = part
        if len(self.items) == rows.stop - rows.start:
            return self
        row, column = self.rows[places] - rows.start, self.places[places] % self.items.shape[1]
        return TrainBatch(
            users=self.users[rows],
            items=self.items[rows, :width],
            targets=self.targets[rows, :width],
            target_mask=self.target_mask[rows, :width],
            places=row * width + column,
            timestamps=None if self.timestamps is None else self.timestamps[rows, :width],
        )

    @property
    def positives(self) -> Tensor:
        """The item to predict at each target position, [N]."""
        return self.at_targets(self.targets)

    @property
    def rows(self) -> Tensor:
        """The row of each target position, [N]."""
        return self.places // self.targets.shape[1]

    def at_targets(self, states: Tensor) -> Tensor:
        """What stands at the target positions: [B, L, *] -> [N, *]."""
        return states.flatten(0, 1).index_select(0, self.places)


class EvalBatch(NamedTuple):
    """One evaluation batch.

    users: [B] int64, user index.
    items: [B, L] int64, input ids, right-padded with `pad`; at most the model's `max_length` last items.
    targets: [B, T] int64, relevant items, padded with -1.
    seen_rows, seen_items: [S] int64, pairs (row in the batch, item) of the user's whole input history.
    timestamps: [B, L] int64, as in TrainBatch.
    """

    users: Tensor
    items: Tensor
    targets: Tensor
    seen_rows: Tensor
    seen_items: Tensor
    timestamps: Tensor | None = None


class PretrainBatch(NamedTuple):
    """One batch of S3-Rec's pre-training. Right-padded.

    users: [B] int64, user index.
    items: [B, L] int64, `pad` after each row's end; nothing in them is hidden.
    hidden: [B, L] bool, items that are masked and have to be told, each row's last among them.
    segment: [B, L] bool, the stretch of each row that has to be told from another; nowhere in a row of one item.
    other: [B, L] int64, where `segment` is on, a stretch of the same length from anywhere; elsewhere anything.
    """

    users: Tensor
    items: Tensor
    hidden: Tensor
    segment: Tensor
    other: Tensor


def last_columns(lengths: Tensor, count: int) -> Tensor:
    """Where the last `count` items of right-padded rows stand; of a shorter row the first `count` columns.

    lengths: [B], items in each row -> [B, count].
    """
    return (lengths - count).clamp(min=0)[:, None] + torch.arange(count, device=lengths.device)
