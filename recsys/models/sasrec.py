"""SASRec: self-attentive sequential recommendation (Kang and McAuley, ICDM 2018)."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from recsys.models.base import SequentialModel
from recsys.models.blocks import PreNormBlock
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, LearnedPositions
from recsys.scoring import ItemTable


class SASRec(SequentialModel):
    """A causal Transformer over the item sequence whose output layer is the item embedding itself.

    Differs from the paper by default: pre-norm blocks with GELU (`block=SASRecBlock` is the paper's), no dropout on
    attention weights, right padding with positions counted from the left.

    block: makes one block from the sizes below; positions: makes the position layer from dim and max_length.
    dropout: on embeddings and in blocks; attention_dropout: on attention weights.
    scale_embedding: multiply item embeddings by sqrt(dim), as the paper's code does.
    init_std: standard deviation of the normal initialisation of every matrix.
    """

    def __init__(
        self,
        *,
        num_items: int,
        max_length: int,
        dim: int = 64,
        num_blocks: int = 2,
        num_heads: int = 2,
        feedforward_dim: int = 256,
        dropout: float = 0.2,
        attention_dropout: float = 0.0,
        scale_embedding: bool = False,
        init_std: float = 0.02,
        block: Callable[..., nn.Module] = PreNormBlock,
        positions: Callable[..., nn.Module] = LearnedPositions,
    ) -> None:
        super().__init__(num_items=num_items)
        self.embedding = ItemEmbedding(num_items, dim)
        self.positions = positions(dim=dim, max_length=max_length)
        self.dropout = Dropout(dropout)
        sizes = {"dim": dim, "num_heads": num_heads, "feedforward_dim": feedforward_dim}
        rates = {"dropout": dropout, "attention_dropout": attention_dropout}
        self.blocks = nn.Sequential(*(block(**sizes, **rates) for _ in range(num_blocks)))
        self.norm = nn.LayerNorm(dim)
        self.scale = math.sqrt(dim) if scale_embedding else 1.0
        initialise(self, std=init_std)

    def encode(self, items: Tensor) -> Tensor:
        x = self.embedding(items) * self.scale  # [B, L, D]
        return self.norm(self.blocks(self.dropout(self.positions(x))))

    def item_table(self) -> ItemTable:
        return ItemTable(self.embedding.item_weight, None)


def initialise(module: nn.Module, *, std: float) -> None:
    """Every matrix from N(0, std^2), the padding row zero; vectors (biases, norms) keep torch's own."""
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=std)
    for layer in module.modules():
        if isinstance(layer, nn.Linear) and layer.bias is not None:
            nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.Embedding) and layer.padding_idx is not None:
            nn.init.zeros_(layer.weight[layer.padding_idx].detach())
