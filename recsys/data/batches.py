"""What travels from the data to the model: named tuples of tensors, shapes in the docstrings."""

from typing import NamedTuple

from torch import Tensor


class TrainBatch(NamedTuple):
    """One training batch; `TrainBatch.of` makes it. Right-padded: under a causal mask no padding is ever attended to.

    users: [B] int64, user index.
    items: [B, L] int64, input ids, `pad` after each row's end.
    targets: [B, L] int64, the item to predict at each position; anything where the mask is off.
    target_mask: [B, L] bool, the positions that bear a loss, N of them.
    places: [N] int64, where those are, row after row, when rows are laid end to end. Found where the batch is made, on
        the CPU: finding them on a GPU would make the step wait for it.
    timestamps: [B, L] int64, seconds, when each input came about, 0 at padding; None where the data has no times.
    """

    users: Tensor
    items: Tensor
    targets: Tensor
    target_mask: Tensor
    places: Tensor
    timestamps: Tensor | None = None

    @classmethod
    def of(
        cls, users: Tensor, items: Tensor, targets: Tensor, *, target_mask: Tensor, timestamps: Tensor | None = None
    ) -> "TrainBatch":
        """The batch with those targets."""
        return cls(users, items, targets, target_mask, target_mask.flatten().nonzero().squeeze(1), timestamps)

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
