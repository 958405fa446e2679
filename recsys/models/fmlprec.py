"""FMLP-Rec: filter-enhanced MLP for sequential recommendation (Zhou et al., WWW 2022)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.models.base import PackingModel
from recsys.models.blocks import MixerBlock, Stack
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, check_sizes, initialise
from recsys.models.positions import LearnedPositions
from recsys.models.rows import PaddedRows, Rows
from recsys.scoring import ItemTable


class CircularFilter(nn.Module):
    """A learned filter per channel, multiplied in the frequency domain: a circular convolution over N positions."""

    def __init__(self, *, dim: int, max_length: int) -> None:
        super().__init__()
        self.max_length = max_length
        self.weight = nn.Parameter(torch.empty(max_length // 2 + 1, dim, 2))  # complex, of the real FFT's frequencies

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """[B N, D] -> [B N, D]; every row fills all N positions."""
        spectrum = torch.fft.rfft(rows.unpack(x), dim=1) * torch.view_as_complex(self.weight)  # [B, N / 2 + 1, D]
        return rows.cells(torch.fft.irfft(spectrum, n=self.max_length, dim=1))


class CausalFilter(CircularFilter):
    """The same filter without the wrap-around: position t is reached from t, t - 1, ... 0 alone."""

    def forward(self, x: Tensor, rows: Rows) -> Tensor:
        """[N, D] -> [N, D], of rows no longer than the filter."""
        filters = torch.fft.irfft(torch.view_as_complex(self.weight), n=self.max_length, dim=0)
        return rows.convolve(x, filters)


class FMLPRec(PackingModel):
    """Blocks of a learned filter over the sequence and a feed-forward layer, post-norm, tied output.

    Differs from the paper: its filter wraps around, so a position reads items that follow it, and one position per
    sample can be trained. Here the filter is causal, the same function at the last position of the first block, and
    every position is trained; `CircularFMLPRec` has the paper's. The authors train with binary cross-entropy and one
    negative (loss=bce) and have no inner_dropout.

    max_length: positions N of the filter; positions: makes the position layer from dim and max_length.
    inner_dropout: between the two layers of a feed-forward network; None is `dropout`.
    """

    layer: Callable[..., nn.Module] = CausalFilter

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        max_length: int,
        dim: int = 64,
        num_blocks: int = 2,
        feedforward_dim: int = 256,
        dropout: float = 0.5,
        inner_dropout: float | None = None,
        init_std: float = 0.02,
        positions: Callable[..., nn.Module] = LearnedPositions,
    ) -> None:
        super().__init__(catalogue)
        check_sizes(num_blocks=num_blocks)
        self.max_length = max_length
        self.embedding = ItemEmbedding(catalogue.num_items, dim=dim)
        self.positions = positions(dim=dim, max_length=max_length)
        self.norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)
        sizes = {"dim": dim, "feedforward_dim": feedforward_dim, "dropout": dropout, "inner_dropout": inner_dropout}
        self.blocks = Stack(
            MixerBlock(type(self).layer(dim=dim, max_length=max_length), **sizes) for _ in range(num_blocks)
        )
        initialise(self, std=init_std)

    def states(self, items: Tensor, rows: Rows) -> Tensor:
        x = self.positions(self.embedding(items), *rows.columns())  # [N, D]
        return self.blocks(self.dropout(self.norm(x)), rows)

    def item_table(self) -> ItemTable:
        return self.embedding.item_table()


class CircularFMLPRec(FMLPRec):
    """The encoder as published: rows stand at the right end of `max_length` positions, over which the filter wraps.

    A position reads the whole row, so it can only be trained on a target that lies outside of it.
    """

    causal = False
    packs = False
    layer = CircularFilter

    def encode_cells(self, items: Tensor, rows: Rows) -> Tensor:
        shift = self.max_length - self.lengths(items)[:, None]  # [B, 1], padding before each row
        source = torch.arange(self.max_length, device=items.device) - shift  # [B, N]
        framed = items.gather(1, source.clamp(0, items.shape[1] - 1)).masked_fill(source < 0, self.pad)
        frames = PaddedRows(torch.full_like(shift[:, 0], self.max_length), width=self.max_length, causal=False)
        states = frames.unpack(super().encode_cells(framed, frames))  # [B, N, D]
        back = (torch.arange(items.shape[1], device=items.device) + shift).clamp(max=self.max_length - 1)  # [B, L]
        return rows.asking(rows.cells(states.gather(1, back[..., None].expand(-1, -1, states.shape[2]))))
