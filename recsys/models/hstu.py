"""HSTU: hierarchical sequential transduction units (Zhai et al., ICML 2024)."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.base import SequentialModel
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, check_sizes, initialise
from recsys.models.positions import LearnedPositions
from recsys.models.rows import last_state
from recsys.scoring import ItemTable

HIDDEN = -1e4  # silu of it, and its slope, are exactly 0
BUCKET_RATIO = math.exp(0.301)  # growth from one bucket of time differences to the next, as in the authors' code


class HSTU(SequentialModel):
    """Pointwise aggregated attention with a gate in place of a feed-forward layer, and relative biases.

    Differs from the paper: a LayerNorm ends the encoder and scores are dot products, where the authors' code
    normalises both sides to unit length and divides by a temperature; times are compared with that of the position's
    own item, not of the next one, which is not known when ranking; embeddings are not multiplied by sqrt(dim);
    attention is divided by the number of keys a position sees, not by the longest row's; both LayerNorms of a layer
    and its input projection have weights and biases of their own, and relative biases start at 0, not from N(0, 0.02).
    The loss is the softmax over the catalogue, the authors' a sampled one with 128 negatives, and their larger network
    for MovieLens-1M has 8 layers of width 50.

    num_time_buckets: classes of time differences that have a bias of their own; 0: times are not read.
    positions: makes the position layer from dim and max_length; the relative biases are there whatever it is.
    dropout: on embeddings and on each layer's gated output.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        max_length: int,
        dim: int = 64,
        num_blocks: int = 2,
        num_heads: int = 2,
        dropout: float = 0.2,
        num_time_buckets: int = 0,
        init_std: float = 0.02,
        positions: Callable[..., nn.Module] = LearnedPositions,
    ) -> None:
        super().__init__(catalogue)
        check_sizes(num_blocks=num_blocks, num_heads=num_heads)
        if num_time_buckets < 0:
            raise ValueError(f"num_time_buckets ({num_time_buckets}) must not be negative; 0: times are not read")
        self.num_time_buckets = num_time_buckets
        self.embedding = ItemEmbedding(catalogue.num_items, dim=dim)
        self.positions = positions(dim=dim, max_length=max_length)
        self.dropout = Dropout(dropout)
        self.layers = nn.ModuleList(
            HSTULayer(
                dim=dim,
                num_heads=num_heads,
                dropout=dropout,
                bias=RelativeBias(max_length=max_length, num_time_buckets=num_time_buckets),
            )
            for _ in range(num_blocks)
        )
        self.norm = nn.LayerNorm(dim)
        initialise(self, std=init_std)

    def encode(self, items: Tensor, timestamps: Tensor | None = None) -> Tensor:
        """Right-padded items [B, L] and, where times are read, their timestamps [B, L] in seconds -> [B, L, D]."""
        buckets = self._time_buckets(timestamps) if self.num_time_buckets else None
        x = self.dropout(self.positions(self.embedding(items), *self.columns(items)))  # [B, L, D]
        for layer in self.layers:
            x = layer(x, buckets)
        return self.norm(x)

    def item_table(self) -> ItemTable:
        return self.embedding.item_table()

    def queries(self, batch: TrainBatch) -> Tensor:
        return batch.at_targets(self.encode(batch.items, batch.timestamps))

    def next_queries(self, batch: TrainBatch | EvalBatch) -> Tensor:
        return last_state(self.encode(batch.items, batch.timestamps), self.lengths(batch.items))

    def _time_buckets(self, timestamps: Tensor | None) -> Tensor:
        """Class of the time from each key to each query: 0 below 1.35 s, each next one 1.35 times longer, [B, L, L]."""
        if timestamps is None:
            raise ValueError(
                f"num_time_buckets ({self.num_time_buckets}) needs timestamps and the data has none; "
                "set model.num_time_buckets=0 or use data with timestamps"
            )
        elapsed = timestamps[:, :, None] - timestamps[:, None, :]  # [B, L, L] seconds
        buckets = elapsed.clamp(min=1).float().log() / math.log(BUCKET_RATIO)
        return buckets.long().clamp(max=self.num_time_buckets - 1)


class HSTULayer(nn.Module):
    """x + output(norm(attend(x)) * u), with u, v, q, k = silu(input(norm(x))); attention weights are not a softmax.

    Weights are silu(q k + bias), 0 ahead of the query; their sum over keys is divided by the number of keys.
    """

    def __init__(self, *, dim: int, num_heads: int, dropout: float, bias: nn.Module) -> None:
        super().__init__()
        if dim % num_heads:
            raise ValueError(
                f"dim ({dim}) must be divisible by num_heads ({num_heads}); change model.dim or model.num_heads"
            )
        self.num_heads = num_heads
        self.bias = bias
        self.input_norm = nn.LayerNorm(dim)
        self.input = nn.Linear(dim, 4 * dim)
        self.mixed_norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(dim, dim)

    def forward(self, x: Tensor, buckets: Tensor | None) -> Tensor:
        """[B, L, D] and classes of time differences [B, L, L] -> [B, L, D]."""
        gate, *parts = F.silu(self.input(self.input_norm(x))).chunk(4, dim=-1)
        value, query, key = (part.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for part in parts)
        weights = F.silu(query @ key.mT + self.bias(x.shape[1], buckets))  # [B, H, L, L]
        keys = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]  # visible to each query, [L, 1]
        mixed = (weights @ value / keys).transpose(1, 2).flatten(2)  # [B, L, D]
        return x + self.output(self.dropout(self.mixed_norm(mixed) * gate))


class RelativeBias(nn.Module):
    """What is added to a score for the distance from key to query, in positions and, with time buckets, in time."""

    def __init__(self, *, max_length: int, num_time_buckets: int) -> None:
        super().__init__()
        self.distance = nn.Parameter(torch.zeros(max_length))
        self.time = nn.Parameter(torch.zeros(num_time_buckets)) if num_time_buckets else None

    def forward(self, length: int, buckets: Tensor | None) -> Tensor:
        """Classes of time differences [B, L, L] -> [1 or B, 1, L, L], `HIDDEN` where the key follows the query."""
        columns = torch.arange(length, device=self.distance.device)
        distance = columns[:, None] - columns  # [L, L], from key to query
        bias = self.distance[distance.clamp(min=0)].masked_fill(distance < 0, HIDDEN)[None, None]  # [1, 1, L, L]
        if self.time is None or buckets is None:
            return bias
        return bias + self.time[buckets][:, None]  # [B, 1, L, L]
