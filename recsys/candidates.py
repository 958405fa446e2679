"""Candidates: which items a position is scored against in training, and the samplers that draw them."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue


class Candidates(NamedTuple):
    """What N positions are scored against: C items each, one of them the positive.

    items: [N, C] int64 (drawn per position), [C] (shared by all positions) or None (the catalogue in id order, C = V).
    target: [N] int64, the column of the positive.
    num_items: V, the size of the catalogue that the candidates were drawn from.
    log_q: [N, C] or [C] log-probability that the sampler draws each item, or None; subtracted from the logits.
    removed: [N, C] bool, candidates that do not count for a position, or None; their logits become -inf.
    """

    items: Tensor | None
    target: Tensor
    num_items: int
    log_q: Tensor | None = None
    removed: Tensor | None = None

    def rows(self, block: slice) -> "Candidates":
        """The candidates of a block of positions."""
        return self._replace(
            items=_rows(self.items, block),
            target=self.target[block],
            log_q=_rows(self.log_q, block),
            removed=_rows(self.removed, block),
        )

    def adjust(self, logits: Tensor) -> Tensor:
        """Raw scores [N, C] -> the logits a loss sees: less log q, removed candidates at -inf."""
        if self.log_q is not None:
            logits = logits - self.log_q
        return logits if self.removed is None else logits.masked_fill(self.removed, -torch.inf)


class CandidateSampler(nn.Module):
    """Draws candidates for the target positions of a batch from torch's global generator, fresh at every call."""

    def forward(self, positives: Tensor, batch: TrainBatch) -> Candidates:
        """`positives` [N] int64, the true next items: `batch.targets[batch.target_mask]`."""
        raise NotImplementedError


class FullCatalogue(CandidateSampler):
    """Every item of the catalogue: no sampling, no bias."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.num_items = catalogue.num_items

    def forward(self, positives: Tensor, batch: TrainBatch) -> Candidates:
        return Candidates(items=None, target=positives, num_items=self.num_items)


class Uniform(CandidateSampler):
    """`num_negatives` items per position, uniform over the catalogue without the positive, with replacement."""

    def __init__(self, catalogue: Catalogue, *, num_negatives: int) -> None:
        super().__init__()
        if num_negatives < 1:
            raise ValueError(f"num_negatives ({num_negatives}) must be at least 1; set sampler.num_negatives=1 or more")
        if catalogue.num_items < 2:
            raise ValueError(f"num_items ({catalogue.num_items}) must be at least 2 for a negative to exist")
        self.num_items = catalogue.num_items
        self.num_negatives = num_negatives

    def forward(self, positives: Tensor, batch: TrainBatch) -> Candidates:
        shape = (len(positives), self.num_negatives)
        negatives = torch.randint(self.num_items - 1, shape, device=positives.device)  # [N, K]
        negatives += negatives >= positives[:, None]  # skip the positive without a second draw
        items = torch.cat([positives[:, None], negatives], dim=1)  # [N, 1 + K]
        return Candidates(items, target=torch.zeros_like(positives), num_items=self.num_items)


def _rows(tensor: Tensor | None, block: slice) -> Tensor | None:
    return tensor[block] if tensor is not None and tensor.dim() == 2 else tensor
