"""Transformer blocks: where the normalisation stands and what the residual carries. [B, L, D] -> [B, L, D].

`visible` is what `SelfAttention` takes: None for causal attention, else a mask.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from recsys.models.dropout import Dropout
from recsys.models.layers import FeedForward, SelfAttention


class PreNormBlock(nn.Module):
    """x + attend(norm(x)), then x + feed(norm(x)): trains stably at any depth (Xiong et al., ICML 2020)."""

    def __init__(
        self, *, dim: int, num_heads: int, feedforward_dim: int, dropout: float, attention_dropout: float
    ) -> None:
        super().__init__()
        self.attention = SelfAttention(dim=dim, num_heads=num_heads, dropout=attention_dropout)
        self.feedforward = FeedForward(dim=dim, hidden=feedforward_dim, dropout=dropout)
        self.attention_norm = nn.LayerNorm(dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        normed = self.attention_norm(x)
        x = x + self.dropout(self.attention(normed, normed, visible))
        return x + self.dropout(self.feedforward(self.feedforward_norm(x)))


class PostNormBlock(PreNormBlock):
    """norm(x + attend(x)), then norm(x + feed(x)): the original Transformer's, used by BERT4Rec and S3-Rec."""

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        x = self.attention_norm(x + self.dropout(self.attention(x, x, visible)))
        return self.feedforward_norm(x + self.dropout(self.feedforward(x)))


class SASRecBlock(nn.Module):
    """SASRec's own block (Kang and McAuley, ICDM 2018, and its released code).

    The query alone is normalised, keys and values are not; the residuals add the *normalised* input; heads are
    concatenated without an output projection; the feed-forward layer is ReLU.
    """

    def __init__(
        self, *, dim: int, num_heads: int, feedforward_dim: int, dropout: float, attention_dropout: float
    ) -> None:
        super().__init__()
        self.attention = SelfAttention(dim=dim, num_heads=num_heads, dropout=attention_dropout, project=False)
        self.feedforward = FeedForward(dim=dim, hidden=feedforward_dim, dropout=dropout, activation=F.relu)
        self.attention_norm = nn.LayerNorm(dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        query = self.attention_norm(x)
        x = self.feedforward_norm(query + self.attention(query, x, visible))
        return x + self.dropout(self.feedforward(x))


class Transformer(nn.Module):
    """Blocks in a row; `block` makes one from the sizes."""

    def __init__(
        self,
        *,
        dim: int,
        num_blocks: int,
        num_heads: int,
        feedforward_dim: int,
        dropout: float,
        attention_dropout: float,
        block: Callable[..., nn.Module],
    ) -> None:
        super().__init__()
        sizes = {"dim": dim, "num_heads": num_heads, "feedforward_dim": feedforward_dim}
        rates = {"dropout": dropout, "attention_dropout": attention_dropout}
        self.blocks = nn.ModuleList(block(**sizes, **rates) for _ in range(num_blocks))

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """[B, L, D] -> [B, L, D]."""
        for block in self.blocks:
            x = block(x, visible)
        return x
