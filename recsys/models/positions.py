"""Where an item stands in its row: vectors that are added to the embeddings, x [*, D].

columns: where each stands in its row, the oldest kept item at 0; lengths: of their rows; both [*], or what broadcasts
to it. With `from_end` positions are counted from the row's end (the latest item is 0, and padding too), as
implementations that pad on the left do.
"""

import torch
from torch import Tensor, nn

from recsys.models.lookup import look_up


class LearnedPositions(nn.Module):
    """A trained vector for each position, as in SASRec (Kang and McAuley, ICDM 2018) and BERT4Rec."""

    def __init__(self, *, dim: int, max_length: int, from_end: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(max_length, dim))
        self.from_end = from_end

    def forward(self, x: Tensor, columns: Tensor, lengths: Tensor) -> Tensor:
        """The positions' vectors added to x."""
        return x + look_up(self.weight, position_index(columns, lengths, from_end=self.from_end))


class SinusoidalPositions(nn.Module):
    """Fixed waves of geometrically growing length (Vaswani et al., NeurIPS 2017).

    Column 2i of position p holds scale * sin(p / 10000^(2i / D)), column 2i + 1 the cosine.
    scale: amplitude; item embeddings start at about `init_std` and would be drowned by waves of amplitude 1.
    """

    weight: Tensor

    def __init__(self, *, dim: int, max_length: int, from_end: bool = False, scale: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("weight", scale * sinusoids(max_length, dim), persistent=False)
        self.from_end = from_end

    def forward(self, x: Tensor, columns: Tensor, lengths: Tensor) -> Tensor:
        """The positions' vectors added to x."""
        return x + self.weight[position_index(columns, lengths, from_end=self.from_end)]


class NoPositions(nn.Module):
    """No position vectors: order is known to the model through its causal mask alone."""

    def __init__(self, *, dim: int, max_length: int) -> None:
        super().__init__()

    def forward(self, x: Tensor, columns: Tensor, lengths: Tensor) -> Tensor:
        """Nothing added to x."""
        return x


def position_index(columns: Tensor, lengths: Tensor, *, from_end: bool) -> Tensor:
    """Columns counted from the left or from their rows' ends."""
    return (lengths - 1 - columns).clamp(min=0) if from_end else columns


def sinusoids(length: int, dim: int) -> Tensor:
    """[length, dim], sines in even columns and cosines in odd ones."""
    columns = torch.arange(dim)
    frequency = 10000.0 ** (-(columns - columns % 2) / dim)  # [D]
    quarter = torch.pi / 2 * (columns % 2)  # a cosine is a sine a quarter of a wave ahead
    return torch.sin(torch.arange(length)[:, None] * frequency + quarter)
