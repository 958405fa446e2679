"""Defects of the movie baseline as it was released, each one a part that can be put in."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from recsys.candidates import Candidates, Uniform
from recsys.data.attributes import ItemAttributes
from recsys.data.dataset import InteractionDataset
from recsys.data.interactions import Vocabulary
from recsys.data.sequences import UserSequences
from recsys.losses.base import RankingLoss
from recsys.losses.functional import num_negatives

EPSILON = 1e-24


class ReleasedIds:
    """A data set whose item table has rows that are no films: they can be drawn, and they are ranked.

    data: the data set itself. spread: rows per film, 1 for no others; the baseline's 6,807 films have ids up to
    119,145, which is 17.5. pad_and_mask: whether a row for padding stands before all and one for the mask behind.
    """

    def __init__(self, *, name: str, data: InteractionDataset, spread: float = 1.0, pad_and_mask: bool = False) -> None:
        self.name = name
        self.data = data
        self.spread = spread
        self.pad_and_mask = pad_and_mask

    def sequences(self) -> UserSequences:
        """The data's, its items put into rows of the larger table at random, in their order."""
        there = self.data.sequences()
        ids = int(there.num_items * self.spread)
        rows = np.sort(np.random.default_rng(0).choice(ids, size=there.num_items, replace=False)) + self.pad_and_mask
        values = rows.astype(np.int64)[there.items.values]
        known_by = f"{there.fingerprint} {self.spread} {self.pad_and_mask}"
        return replace(
            there,
            items=there.items._replace(values=values),
            vocabulary=Vocabulary(np.arange(ids + 2 * self.pad_and_mask)),
            known_fingerprint=hashlib.sha256(known_by.encode()).hexdigest(),
        )

    def attributes(self, sequences: UserSequences) -> tuple[ItemAttributes, ...]:
        """None: nothing here reads any."""
        return ()


class AllButPad(Uniform):
    """Every row of the item table but the first, which is the padding's: the mask's may be drawn."""

    def draw(self, shape: Sequence[int], device: torch.device) -> Tensor:
        return torch.randint(1, self.num_items, tuple(shape), device=device)


class EpsilonBCE(RankingLoss):
    """Binary cross-entropy as released: -log(s(x+) + 1e-24) - mean_k log(1 - s(x_k) + 1e-24).

    For x_k >= 17 the sigmoid is 1 in float32: the loss jumps to 55.26, and its gradient is 0.
    """

    link = staticmethod(torch.sigmoid)

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        column = candidates.target[:, None]
        positive = -(torch.sigmoid(logits.gather(1, column)) + EPSILON).log().squeeze(1)
        negatives = torch.sigmoid(logits.scatter(1, column, -torch.inf))
        return positive - (1 - negatives + EPSILON).log().sum(1) / num_negatives(logits)


class EpsilonBPR(RankingLoss):
    """BPR put into the released code: -mean_k log(s(x+ - x_k) + 1e-24)."""

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        column = candidates.target[:, None]
        margins = (logits.gather(1, column) - logits).scatter(1, column, torch.inf)
        return -(torch.sigmoid(margins) + EPSILON).log().sum(1) / num_negatives(logits)
