"""Caser: convolutions over the last few items (Tang and Wang, WSDM 2018)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.models.base import SequentialModel
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, check_sizes, initialise
from recsys.models.outputs import SeparateOutput
from recsys.scoring import ItemTable


class HorizontalConvolution(nn.Module):
    """Filters of every height up to the window, the strongest response of each within the window (union patterns)."""

    def __init__(self, *, dim: int, window: int, num_filters: int) -> None:
        super().__init__()
        self.window = window
        self.filters = nn.ModuleList(nn.Conv1d(dim, num_filters, height) for height in range(1, window + 1))

    def forward(self, x: Tensor) -> Tensor:
        """Vectors [B, D, window - 1 + L], the first ones before the sequence -> [B, window * num_filters, L]."""
        responses = (filters(x) for filters in self.filters)  # each [B, num_filters, window - height + L]
        pooled = [F.max_pool1d(each, self.window - i, stride=1) for i, each in enumerate(responses)]
        return torch.cat(pooled, dim=1).relu()


class VerticalConvolution(nn.Module):
    """Weighted sums of the window's vectors, `num_filters` of them (point patterns)."""

    def __init__(self, *, window: int, num_filters: int) -> None:
        super().__init__()
        self.window = window
        self.filters = nn.Linear(window, num_filters)

    def forward(self, x: Tensor) -> Tensor:
        """Vectors [B, D, window - 1 + L], the first ones before the sequence -> [B, num_filters * D, L]."""
        sums = self.filters(x.unfold(2, self.window, 1))  # [B, D, L, window] -> [B, D, L, num_filters]
        return sums.movedim(3, 1).flatten(1, 2)


class Caser(SequentialModel):
    """Horizontal and vertical convolutions over the `window` items that end at a position, and a layer on top.

    Every position is computed at once from one pass over the sequence; before a row's start stand zero vectors.
    Differs from the paper: there is no user vector (its output table is [V, 2D] for the pair of sequence and user),
    so that users without training data can be served; a position has one target, its successor, where the authors
    predict the next three items; the loss is the softmax over the catalogue, the authors' binary cross-entropy with
    three negatives per target (loss=bce sampler.num_negatives=3).

    window: items looked back at (the paper's L).
    num_horizontal: filters of each height; num_vertical: filters over the window. dropout: before the layer on top.
    output: makes the output layer from the number of items and dim.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        dim: int = 50,
        window: int = 5,
        num_horizontal: int = 16,
        num_vertical: int = 4,
        dropout: float = 0.5,
        output: Callable[..., nn.Module] = SeparateOutput,
    ) -> None:
        super().__init__(catalogue)
        check_sizes(window=window, num_horizontal=num_horizontal, num_vertical=num_vertical)
        self.window = window
        self.embedding = ItemEmbedding(catalogue.num_items, dim=dim)
        self.horizontal = HorizontalConvolution(dim=dim, window=window, num_filters=num_horizontal)
        self.vertical = VerticalConvolution(window=window, num_filters=num_vertical)
        self.dropout = Dropout(dropout)
        self.combine = nn.Linear(window * num_horizontal + num_vertical * dim, dim)
        self.output = output(catalogue.num_items, dim=dim)
        for table in (self.embedding, self.output):
            initialise(table, std=1 / dim)

    def encode(self, items: Tensor) -> Tensor:
        x = F.pad(self.embedding(items).transpose(1, 2), (self.window - 1, 0))  # [B, D, window - 1 + L]
        features = torch.cat([self.horizontal(x), self.vertical(x)], dim=1).transpose(1, 2)  # [B, L, features]
        return self.combine(self.dropout(features)).relu()  # [B, L, D]

    def item_table(self) -> ItemTable:
        return self.output(self.embedding)
