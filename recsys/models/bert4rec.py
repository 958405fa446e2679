"""BERT4Rec: a bidirectional Transformer trained to fill in hidden items (Sun et al., CIKM 2019)."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.models.base import PackingModel
from recsys.models.blocks import PostNormBlock, Transformer
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, initialise
from recsys.models.outputs import TiedOutput
from recsys.models.positions import LearnedPositions
from recsys.models.rows import Rows
from recsys.scoring import ItemTable


class BERT4Rec(PackingModel):
    """A Transformer whose positions see each other in both directions; the next item is asked for by a mask.

    The authors' output head (dense, GELU, LayerNorm) is the end of `encode`, and item table and biases follow it, so
    the head that is trained is the head that ranks. LayerNorm and dropout follow the embedding sum, as in their code.
    Differs from the paper by default: no dropout on attention weights; a user's last `max_length` items are one
    sequence, where the authors slide a window over longer ones; masks are drawn anew in every epoch, not ten times
    in advance; dropout is also between a block's two feed-forward layers (`model/block=s3rec`: not) and the normal
    initialisation is not truncated; the loss is any loss over any candidates, by default the paper's softmax over the
    catalogue.

    block: makes one block from the sizes below; positions: makes the position layer from dim and max_length.
    dropout: on embeddings and in blocks; attention_dropout: on attention weights.
    init_std: standard deviation of the normal initialisation of every matrix.
    """

    causal = False
    ranks_at_mask = True

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        max_length: int,
        dim: int = 64,
        num_blocks: int = 2,
        num_heads: int = 2,
        feedforward_dim: int = 256,
        dropout: float = 0.2,
        attention_dropout: float = 0.0,
        init_std: float = 0.02,
        block: Callable[..., nn.Module] = PostNormBlock,
        positions: Callable[..., nn.Module] = LearnedPositions,
    ) -> None:
        super().__init__(catalogue)
        if max_length < 2:
            raise ValueError(
                f"max_length ({max_length}) must be at least 2: the mask that asks takes a place of its own"
            )
        self.max_length = max_length
        self.embedding = ItemEmbedding(catalogue.num_items, dim=dim)
        self.positions = positions(dim=dim, max_length=max_length)
        self.norm = nn.LayerNorm(dim)
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
        self.head = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.LayerNorm(dim))
        self.output = TiedOutput(catalogue.num_items, dim=dim, bias=True)
        initialise(self, std=init_std)

    def states(self, items: Tensor, rows: Rows) -> Tensor:
        x = self.positions(self.embedding(items), *rows.columns())  # [N, D]
        return self.head(self.transformer(self.dropout(self.norm(x)), rows))

    def item_table(self) -> ItemTable:
        return self.output(self.embedding)

    def next_query(self, items: Tensor) -> Tensor:
        """Items [B, L] -> the hidden state of a mask behind each row's last item [B, D]."""
        return super().next_query(self.with_mask(items))

    def with_mask(self, items: Tensor) -> Tensor:
        """Items [B, L] -> the same with `mask` at each row's end, [B, at most max_length].

        A row that fills `max_length` gives up its oldest items for it.
        """
        room = self.max_length - 1
        lengths = self.lengths(items)  # [B]
        dropped = (lengths - room).clamp(min=0)  # [B]
        columns = torch.arange(min(items.shape[1], room) + 1, device=items.device)
        source = columns + dropped[:, None]  # [B, at most max_length]
        kept = F.pad(items, (0, 1), value=self.pad).gather(1, source)
        return kept.scatter(1, (lengths - dropped)[:, None], self.mask)
