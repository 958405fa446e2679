"""What travels from the data to the model: named tuples of tensors, shapes in the docstrings."""

from typing import NamedTuple

from torch import Tensor


class TrainBatch(NamedTuple):
    """One training batch. Right-padded, so that under a causal mask no padding is ever attended to.

    users: [B] int64, user index.
    items: [B, L] int64, input ids, `pad` after each row's end.
    targets: [B, L] int64, the item to predict at each position; anything where the mask is off.
    target_mask: [B, L] bool, the positions that bear a loss.
    timestamps: [B, L] int64, seconds, when each input came about, 0 at padding; None where the data has no times.
    """

    users: Tensor
    items: Tensor
    targets: Tensor
    target_mask: Tensor
    timestamps: Tensor | None = None


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
