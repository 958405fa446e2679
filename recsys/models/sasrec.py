"""SASRec: self-attentive sequential recommendation (Kang and McAuley, ICDM 2018)."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.models.base import PackingModel
from recsys.models.blocks import PreNormBlock, Transformer
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, initialise
from recsys.models.positions import LearnedPositions
from recsys.models.rows import Rows
from recsys.scoring import ItemTable


class SASRec(PackingModel):
    """A causal Transformer over the item sequence whose output layer is the item embedding itself.

    Differs from the paper by default: pre-norm blocks with GELU (`block=SASRecBlock` is the paper's), 64 wide with 2
    heads and a feed-forward layer of 256 (the paper: 50, 1 and 50), softmax over the catalogue as loss (the paper's:
    bce), no dropout on attention weights, right padding with positions counted from the left.

    block: makes one block from the sizes below; positions: makes the position layer from dim and max_length.
    dropout: on embeddings and in blocks; attention_dropout: on attention weights.
    scale_embedding: multiply item embeddings by sqrt(dim), as the paper's code does.
    init_std: standard deviation of the normal initialisation of every matrix.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        max_length: int,
        dim: int = 64,
        num_blocks: int = 2,
        num_heads: int = 2,
        feedforward_dim: int = 256,
        dropout: float = 0.5,
        attention_dropout: float = 0.0,
        scale_embedding: bool = True,
        init_std: float = 0.05,
        block: Callable[..., nn.Module] = PreNormBlock,
        positions: Callable[..., nn.Module] = LearnedPositions,
    ) -> None:
        super().__init__(catalogue)
        self.embedding = ItemEmbedding(catalogue.num_items, dim=dim)
        self.positions = positions(dim=dim, max_length=max_length)
        self.dropout = Dropout(dropout)
        self.transformer = Transformer(
            dim=dim,
            num_blocks=num_blocks,
            num_heads=num_heads,
            feedforward_dim=feedforward_dim,
            dropout=dropout,
            attention_dropout=attention_dropout,
            block=block,
        )
        self.norm = nn.LayerNorm(dim)
        self.scale = math.sqrt(dim) if scale_embedding else 1.0
        initialise(self, std=init_std)

    def states(self, items: Tensor, rows: Rows) -> Tensor:
        x = self.positions(self.embedding(items) * self.scale, *rows.columns())  # [N, D]
        return self.norm(self.transformer(self.dropout(x), rows))

    def item_table(self) -> ItemTable:
        return self.embedding.item_table()
