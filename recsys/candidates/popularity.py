"""Negatives by popularity."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recsys.candidates.uniform import Distribution
from recsys.data.catalogue import Catalogue


class Popularity(Distribution):
    """Items in proportion to (training count + smoothing)^alpha, by Walker's alias method: two look-ups a draw.

    alpha: 1 is the frequency in training, 0 the uniform distribution; word2vec (Mikolov et al., NeurIPS 2013) takes
        0.75, GRU4Rec (Hidasi and Karatzoglou, CIKM 2018) 0.5.
    smoothing: added to every count. With 0 an item without a training interaction is never drawn (unless alpha is 0).
    """

    threshold: Tensor
    alias: Tensor

    def __init__(self, catalogue: Catalogue, *, alpha: float = 1.0, smoothing: float = 0.0) -> None:
        super().__init__()
        for name, value in (("alpha", alpha), ("smoothing", smoothing)):
            if value < 0:
                raise ValueError(f"{name} ({value}) must not be negative; set sampler.distribution.{name}=0 or more")
        weights = (catalogue.counts + smoothing) ** alpha  # [V]
        if not weights.any():
            raise ValueError("popularity needs training counts, and no item of this catalogue has one; use uniform")
        self.probability = weights / weights.sum()
        threshold, alias = alias_table(self.probability)
        self.register_buffer("threshold", torch.from_numpy(threshold).float(), persistent=False)
        self.register_buffer("alias", torch.from_numpy(alias), persistent=False)

    def draw(self, shape: Sequence[int], device: torch.device) -> Tensor:
        cell = torch.randint(len(self.alias), tuple(shape), device=device)
        stays = torch.rand(tuple(shape), device=device) < self.threshold[cell]
        return torch.where(stays, cell, self.alias[cell])

    def log_probability(self) -> Tensor:
        """An item that is never drawn can still come up as a positive: it gets the least probability of the others."""
        least = self.probability[self.probability > 0].min()
        return torch.from_numpy(np.log(np.maximum(self.probability, least))).float()


def alias_table(probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Threshold [V] and alias [V]: cell i, drawn uniformly, gives i with probability threshold[i], else alias[i].

    Each cell holds 1/V. Laid on a line, what light items lack and what heavy items have too much cover the same
    length: a light item is filled up by the heavy item where its stretch begins, and a heavy item whose surplus ends
    inside a stretch gave more than it had and is itself filled up by the next (the sweep of Huebschle-Schneider and
    Sanders, ESA 2019, as two searches).
    """
    mass = probability * len(probability)  # 1 on average
    threshold, alias = np.minimum(mass, 1.0), np.arange(len(mass))
    lights, heavies = np.flatnonzero(mass <= 1), np.flatnonzero(mass > 1)
    if len(lights) == 0 or len(heavies) == 0:  # every item has its share
        return threshold, alias
    lacking, surplus = np.cumsum(1 - mass[lights]), np.cumsum(mass[heavies] - 1)
    begins = np.concatenate([[0.0], lacking[:-1]])
    giver = np.searchsorted(surplus, begins)  # the first heavy item whose surplus reaches to where the stretch begins
    alias[lights] = heavies[np.minimum(giver, len(heavies) - 1)]
    taker = np.searchsorted(lacking, surplus[:-1], side="right")  # the light item in whose stretch the surplus ends
    overdrawn = lacking[np.minimum(taker, len(lights) - 1)] - surplus[:-1]
    threshold[heavies[:-1]] = 1 - np.maximum(overdrawn, 0)
    alias[heavies[:-1]] = heavies[1:]
    return threshold, alias
