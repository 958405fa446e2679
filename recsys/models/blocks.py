"""Blocks: where the normalisation stands and what the residual carries. [N, D] -> [N, D].

`rows` says which of the N cells belong together, who sees whom, and which of them ask (recsys.models.rows): where those
are not all, the others are seen and no longer computed, [Q, D].
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from recsys.models.dropout import Dropout
from recsys.models.layers import FeedForward, SelfAttention, SwiGLU, check_sizes
from recsys.models.rows import Rows


class PreNormBlock(nn.Module):
    """x + attend(norm(x)), then x + feed(norm(x)): trains stably at any depth (Xiong et al., ICML 2020).

    inner_dropout: between the two layers of the feed-forward network; None is `dropout`.
    """

    def __init__(
        self,
        *,
        dim: int,
        num_heads: int,
        feedforward_dim: int,
        dropout: float,
        attention_dropout: float,
        inner_dropout: float | None = None,
    ) -> None:
        super().__init__()
        inner = dropout if inner_dropout is None else inner_dropout
        self.attention = SelfAttention(dim=dim, num_heads=num_heads, dropout=attention_dropout)
        self.feedforward = FeedForward(dim=dim, hidden=feedforward_dim, dropout=inner)
        self.attention_norm = nn.LayerNorm(dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        normed = self.attention_norm(x)
        attended = self.attention(rows.asking(normed), normed, rows)
        x = self.dropout(attended, onto=rows.asking(x))
        return self.dropout(self.feedforward(self.feedforward_norm(x)), onto=x)


class PostNormBlock(PreNormBlock):
    """norm(x + attend(x)), then norm(x + feed(x)): the original Transformer's.

    BERT4Rec's and S3-Rec's have an inner_dropout of 0.
    """

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        query = rows.asking(x)
        x = self.attention_norm(self.dropout(self.attention(query, x, rows), onto=query))
        return self.feedforward_norm(self.dropout(self.feedforward(x), onto=x))


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

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        query = self.attention_norm(rows.asking(x))
        x = self.feedforward_norm(query + self.attention(query, x, rows))
        return self.dropout(self.feedforward(x), onto=x)


class LiGRBlock(nn.Module):
    """x + gate(x) * attend(norm(x)), then x + gate(x) * feed(norm(x)): how much is added is learned per channel.

    Gates are sigmoids of a linear layer, the feed-forward layer is SwiGLU: LiGR (Borisyuk et al., LinkedIn, 2025),
    the block of eSASRec (Tikhonovich et al., RecSys 2025).
    """

    def __init__(
        self, *, dim: int, num_heads: int, feedforward_dim: int, dropout: float, attention_dropout: float
    ) -> None:
        super().__init__()
        self.attention = SelfAttention(dim=dim, num_heads=num_heads, dropout=attention_dropout)
        self.feedforward = SwiGLU(dim=dim, hidden=feedforward_dim, dropout=dropout)
        self.attention_norm = nn.LayerNorm(dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.attention_gate = nn.Linear(dim, dim)
        self.feedforward_gate = nn.Linear(dim, dim)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        normed = self.attention_norm(x)
        attended = self.attention(rows.asking(normed), normed, rows)
        x = rows.asking(x)
        x = x + self.attention_gate(x).sigmoid() * self.dropout(attended)
        fed = self.feedforward(self.feedforward_norm(x))
        return x + self.feedforward_gate(x).sigmoid() * self.dropout(fed)


class MixerBlock(nn.Module):
    """norm(x + mix(x)), then norm(x + feed(x)), for a layer that mixes positions by itself, without attention.

    mixer: takes all cells [N, D] and the rows, returns [N, D].
    inner_dropout: between the two layers of the feed-forward network; None is `dropout`.
    """

    def __init__(
        self,
        mixer: nn.Module,
        *,
        dim: int,
        feedforward_dim: int,
        dropout: float,
        inner_dropout: float | None = None,
    ) -> None:
        super().__init__()
        inner = dropout if inner_dropout is None else inner_dropout
        self.mixer = mixer
        self.feedforward = FeedForward(dim=dim, hidden=feedforward_dim, dropout=inner)
        self.mixer_norm = nn.LayerNorm(dim)
        self.feedforward_norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        mixed = rows.asking(self.mixer(x, rows))
        x = self.mixer_norm(self.dropout(mixed, onto=rows.asking(x)))
        return self.feedforward_norm(self.dropout(self.feedforward(x), onto=x))


class Stack(nn.ModuleList):
    """Blocks one after the other: [N, D] -> the states of the cells that ask, [Q, D]; the last computes no others."""

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        *first, last = self
        whole = rows.whole()
        for block in first:
            x = block(x, whole)
        return last(x, rows)


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
        check_sizes(num_blocks=num_blocks)
        sizes = {"dim": dim, "num_heads": num_heads, "feedforward_dim": feedforward_dim}
        rates = {"dropout": dropout, "attention_dropout": attention_dropout}
        self.blocks = Stack(block(**sizes, **rates) for _ in range(num_blocks))

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """[N, D] -> the states of the cells that ask, [Q, D]."""
        return self.blocks(x, rows)
