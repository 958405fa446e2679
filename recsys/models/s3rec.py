"""S3-Rec: a Transformer read both ways in pre-training and causally afterwards (Zhou et al., CIKM 2020)."""

from collections.abc import Callable

from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.models.base import PackingModel
from recsys.models.blocks import PostNormBlock, Transformer
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, initialise
from recsys.models.positions import LearnedPositions
from recsys.models.rows import Rows
from recsys.scoring import ItemTable

EMBEDDING_EPSILON = 1e-12  # the embedding sum starts with a variance of 8e-4, which torch's 1e-5 would distort


class S3Rec(PackingModel):
    """The encoder of S3-Rec, the same weights under two masks.

    Fine-tuning and ranking: `encode`, padding mask x causal mask, any loss over any candidates. Pre-training
    (`task=s3_pretrain`): the padding mask alone, as in `encode_both_ways`; its heads belong to that task.
    LayerNorm and dropout follow the embedding sum; blocks normalise after each residual; the output layer is the item
    embedding itself, without biases.
    Differs from the released code: padding stands on the right and is masked exactly, not by -10,000 added to the
    scores; the padding row is zero and stays so; the blocks' LayerNorms have torch's epsilon of 1e-5 (there: 1e-12).
    `conf/model/s3rec.yaml` adds what is a matter of parts: no dropout inside the feed-forward layers, positions counted
    from the latest item.

    block: makes one block from the sizes below; positions: makes the position layer from dim and max_length.
    dropout: on embeddings and in blocks; attention_dropout: on attention weights.
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
        attention_dropout: float = 0.5,
        init_std: float = 0.02,
        block: Callable[..., nn.Module] = PostNormBlock,
        positions: Callable[..., nn.Module] = LearnedPositions,
    ) -> None:
        super().__init__(catalogue)
        self.embedding = ItemEmbedding(catalogue.num_items, dim=dim)
        self.positions = positions(dim=dim, max_length=max_length)
        self.norm = nn.LayerNorm(dim, eps=EMBEDDING_EPSILON)
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
        initialise(self, std=init_std)

    def states(self, items: Tensor, rows: Rows) -> Tensor:
        x = self.positions(self.embedding(items), *rows.columns())  # [N, D]
        return self.transformer(self.dropout(self.norm(x)), rows)

    def encode_both_ways(self, items: Tensor) -> Tensor:
        """Right-padded items, `mask` among them, [B, L] -> states that see what stands before and after, [B, L, D]."""
        rows = self.rows(items, causal=False)
        return rows.unpack(self.encode_cells(items, rows))

    def item_table(self) -> ItemTable:
        return self.embedding.item_table()
