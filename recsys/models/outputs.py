"""Output layers: which table of items hidden states are multiplied with. V items, D hidden size."""

import torch
from torch import nn

from recsys.models.layers import ItemEmbedding
from recsys.scoring import ItemTable


class TiedOutput(nn.Module):
    """The input embedding's own rows (GRU4Rec's "constrained embedding"; SASRec, BERT4Rec).

    bias: whether each item has a trained scalar, its score where the hidden state says nothing.
    """

    def __init__(self, num_items: int, *, dim: int, bias: bool = False) -> None:
        super().__init__()
        self.bias = item_bias(num_items) if bias else None

    def forward(self, embedding: ItemEmbedding) -> ItemTable:
        return embedding.item_table(self.bias)


class SeparateOutput(nn.Module):
    """A table of its own, so that an item as input and as answer are two vectors.

    bias: whether each item has a trained scalar, its score where the hidden state says nothing.
    """

    def __init__(self, num_items: int, *, dim: int, bias: bool = True) -> None:
        super().__init__()
        self.table = nn.Embedding(num_items, dim)
        self.bias = item_bias(num_items) if bias else None

    def forward(self, embedding: ItemEmbedding) -> ItemTable:
        return ItemTable(self.table.weight, self.bias, sparse=self.table.sparse)


def item_bias(num_items: int) -> nn.Parameter:
    """A scalar per item, zero at first, [V]."""
    return nn.Parameter(torch.zeros(num_items))
