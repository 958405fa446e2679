"""What positions are scored against, and the contract of whatever chooses it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from recsys.data.batches import TrainBatch


class Candidates(NamedTuple):
    """What N positions are scored against: C items each, one of them the positive.

    items: [N, C] int64 (drawn per position), [C] (shared by all positions) or None (the catalogue in id order, C = V).
    target: [N] int64, the column of the positive.
    num_items: V, the size of the catalogue that the candidates were drawn from.
    log_q: [V] log of how often the sampler is expected to draw each item, or None; subtracted from the item's logit.
    removed: [N, C] bool, candidates that do not count for a position, or None; their logits become -inf.
    bonus: [N], added to the positive's logit, or None.
    own: [N] int64 or None; with shared items, the item that each position has for itself as column 0, before the
        shared ones (then C = 1 + len(items)).
    """

    items: Tensor | None
    target: Tensor
    num_items: int
    log_q: Tensor | None = None
    removed: Tensor | None = None
    bonus: Tensor | None = None
    own: Tensor | None = None

    def rows(self, block: slice) -> "Candidates":
        """The candidates of a block of positions."""
        each_its_own = self.items is not None and self.items.dim() == 2
        return self._replace(
            items=self.items[block] if each_its_own else self.items,  # pyright: ignore[reportOptionalSubscript]
            target=self.target[block],
            removed=None if self.removed is None else self.removed[block],
            bonus=None if self.bonus is None else self.bonus[block],
            own=None if self.own is None else self.own[block],
        )

    def distinct(self) -> Tensor | None:
        """The items that are a candidate of some position, ascending, [U]; None where that is the whole catalogue."""
        if self.items is None:
            return None
        there = torch.zeros(self.num_items, dtype=torch.bool, device=self.items.device)  # no sort: N C can be millions
        there[self.items.flatten()] = True
        if self.own is not None:
            there[self.own] = True
        return there.nonzero().squeeze(1)

    def renumbered(self, items: Tensor) -> "Candidates":
        """The same with each item called by its place in `items` [U], which must hold them all; `log_q` is dropped."""
        place = torch.empty(self.num_items, dtype=torch.long, device=items.device)
        place[items] = torch.arange(len(items), device=items.device)
        return self._replace(
            items=None if self.items is None else place[self.items],
            own=None if self.own is None else place[self.own],
            log_q=None,
        )

    def columns(self) -> Tensor:
        """The item of every column, [N, C], however the candidates are laid out."""
        shared = torch.arange(self.num_items, device=self.target.device) if self.items is None else self.items
        rows = shared.expand(len(self.target), -1)
        return rows if self.own is None else torch.cat([self.own[:, None], rows], dim=1)

    def heated(self, temperature: float) -> "Candidates":
        """The same for a loss that divides logits by a temperature: corrections are multiplied by it beforehand."""
        if temperature == 1 or self.log_q is None:
            return self
        return self._replace(
            log_q=self.log_q * temperature, bonus=None if self.bonus is None else self.bonus * temperature
        )

    def adjust(self, logits: Tensor) -> Tensor:
        """Logits [N, C] with the positive's bonus, and the candidates that do not count at -inf."""
        return self.adjust_(logits.clone())

    def adjust_(self, logits: Tensor) -> Tensor:
        """The same in place."""
        if self.bonus is not None:
            logits.scatter_add_(1, self.target[:, None], self.bonus[:, None])
        return logits if self.removed is None else logits.masked_fill_(self.removed, -torch.inf)


class CandidateSampler(nn.Module):
    """Draws candidates for the target positions of a batch from torch's global generator, fresh at every call."""

    def forward(self, positives: Tensor, batch: TrainBatch) -> Candidates:
        """`positives` [N] int64, the true next items: `batch.positives`."""
        raise NotImplementedError
