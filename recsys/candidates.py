"""Candidates: which items a position is scored against in training, and the samplers that draw them."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Candidates(NamedTuple):
    """What N positions are scored against: C items each, one of them the positive.

    items: [N, C] int64 (drawn per position), [C] (shared by all positions) or None (the catalogue in id order, C = V).
    target: [N] int64, the column of the positive.
    log_q: [N, C] or [C] log-probability that the sampler draws each item, or None; subtracted from the logits.
    """

    items: Tensor | None
    target: Tensor
    log_q: Tensor | None = None

    def rows(self, block: slice) -> "Candidates":
        """The candidates of a block of positions."""
        return Candidates(_rows(self.items, block), self.target[block], _rows(self.log_q, block))


class CandidateSampler(nn.Module):
    """Draws candidates for the positives of a batch from torch's global generator, fresh at every call."""

    def forward(self, positives: Tensor) -> Candidates:
        """`positives` [N] int64: the true next items."""
        raise NotImplementedError


class FullCatalogue(CandidateSampler):
    """Every item of the catalogue: no sampling, no bias."""

    def __init__(self, *, num_items: int) -> None:
        super().__init__()

    def forward(self, positives: Tensor) -> Candidates:
        return Candidates(items=None, target=positives)


class Uniform(CandidateSampler):
    """`num_negatives` items per position, uniform over the catalogue without the positive, with replacement."""

    def __init__(self, *, num_items: int, num_negatives: int) -> None:
        super().__init__()
        if num_negatives < 1:
            raise ValueError(f"num_negatives ({num_negatives}) must be at least 1; set sampler.num_negatives=1 or more")
        if num_items < 2:
            raise ValueError(f"num_items ({num_items}) must be at least 2 for a negative to exist")
        self.num_items = num_items
        self.num_negatives = num_negatives

    def forward(self, positives: Tensor) -> Candidates:
        shape = (len(positives), self.num_negatives)
        negatives = torch.randint(self.num_items - 1, shape, device=positives.device)  # [N, K]
        negatives += negatives >= positives[:, None]  # skip the positive without a second draw
        items = torch.cat([positives[:, None], negatives], dim=1)  # [N, 1 + K]
        return Candidates(items, target=torch.zeros_like(positives))


def _rows(tensor: Tensor | None, block: slice) -> Tensor | None:
    return tensor[block] if tensor is not None and tensor.dim() == 2 else tensor
