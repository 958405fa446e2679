"""Distributions that negatives are drawn from; the uniform one."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from recsys.data.catalogue import Catalogue


class Distribution(nn.Module):
    """A distribution over the V items of a catalogue."""

    def draw(self, shape: Sequence[int], device: torch.device) -> Tensor:
        """Independent draws, int64 of the given shape, from torch's global generator."""
        raise NotImplementedError

    def log_probability(self) -> Tensor:
        """Log-probability of each item, [V]."""
        raise NotImplementedError

    def expected_log_count(self, num_draws: int) -> Tensor:
        """Log of how often each item is expected among `num_draws` draws, [V]."""
        return self.log_probability() + math.log(num_draws)


class Uniform(Distribution):
    """Every item of the catalogue equally often."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.num_items = catalogue.num_items

    def draw(self, shape: Sequence[int], device: torch.device) -> Tensor:
        return torch.randint(self.num_items, tuple(shape), device=device)

    def log_probability(self) -> Tensor:
        return torch.full((self.num_items,), -math.log(self.num_items))
