"""Parts that encoders are built from. B users, L positions, D hidden size, H heads, N cells (recsys.models.rows)."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.models.dropout import Dropout
from recsys.models.feedforward import feed, fuses
from recsys.models.lookup import look_up
from recsys.models.rows import Rows
from recsys.scoring import ItemTable


def check_sizes(**sizes: int) -> None:
    """ValueError that names the first size of a model that is below 1."""
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} ({size}) must be at least 1; set model.{name}=1 or more")


class ItemEmbedding(nn.Embedding):
    """Input embeddings of V items and, behind them, of `pad` = V (zero, never trained) and `mask` = V + 1.

    The two special ids exist in this table alone: they can be read, never ranked or drawn.
    """

    def __init__(self, num_items: int, *, dim: int) -> None:
        check_sizes(dim=dim)
        super().__init__(num_items + 2, dim, padding_idx=num_items)
        self.num_items = num_items

    def forward(self, input: Tensor) -> Tensor:
        """Vectors of items [*]: [*, D]."""
        return look_up(self.weight, input, padding=self.padding_idx, sparse=self.sparse)

    def item_table(self, bias: Tensor | None = None) -> ItemTable:
        """The rows of real items, [V, D], as an output layer."""
        weight: Tensor = _FirstRows.apply(self.weight, self.num_items)  # pyright: ignore[reportAssignmentType]
        return ItemTable(weight, bias, sparse=self.sparse)


class _FirstRows(torch.autograd.Function):
    """`matrix[:count]`, whose gradient may be sparse; torch's own slice refuses that."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, count: int) -> Tensor:
        ctx.shape = matrix.shape
        return matrix[:count]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        if grad.is_sparse:
            return torch.sparse_coo_tensor(grad._indices(), grad._values(), ctx.shape, check_invariants=False), None
        return F.pad(grad, (0, 0, 0, ctx.shape[0] - len(grad))), None


class SelfAttention(nn.Module):
    """Multi-head scaled dot-product attention among the cells of a batch's rows.

    dropout: on attention weights.
    project: whether a linear layer mixes the heads' outputs (the original SASRec has none).
    """

    def __init__(self, *, dim: int, num_heads: int, dropout: float = 0.0, project: bool = True) -> None:
        super().__init__()
        check_sizes(num_heads=num_heads)
        if dim % num_heads:
            raise ValueError(
                f"dim ({dim}) must be divisible by num_heads ({num_heads}); change model.dim or model.num_heads"
            )
        self.num_heads = num_heads
        self.dropout = dropout
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.output = nn.Linear(dim, dim) if project else nn.Identity()

    def forward(self, queries: Tensor, memory: Tensor, rows: Rows) -> Tensor:
        """The cells that ask [Q, D] and all of them [N, D] -> [Q, D]."""
        dropout = self.dropout if self.training else 0.0
        query, key_value = self.query(queries), self.key_value(memory)
        mixed = rows.attend(query, key_value, num_heads=self.num_heads, dropout=dropout)
        return self.output(mixed)


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, applied at each position."""

    def __init__(
        self, *, dim: int, hidden: int, dropout: float, activation: Callable[[Tensor], Tensor] = F.gelu
    ) -> None:
        super().__init__()
        check_sizes(feedforward_dim=hidden)
        self.expand = nn.Linear(dim, hidden)
        self.activation = activation
        self.dropout = Dropout(dropout)
        self.contract = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        """[*, D] -> [*, D]."""
        if fuses(x, self.activation, *self.children()):
            rate = self.dropout.p if self.training else 0.0
            return feed(x, self.expand, self.contract, activation=self.activation, dropout=rate)
        return self.contract(self.dropout(self.activation(self.expand(x))))


class SwiGLU(nn.Module):
    """contract(silu(a) * b) with (a, b) = expand(x), without biases (Shazeer, "GLU variants improve Transformer").

    hidden: width of a and of b, so the layer has 1.5 times the weights of a `FeedForward` of that width.
    """

    def __init__(self, *, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        check_sizes(feedforward_dim=hidden)
        self.expand = nn.Linear(dim, 2 * hidden, bias=False)
        self.dropout = Dropout(dropout)
        self.contract = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[*, D] -> [*, D]."""
        gate, value = self.expand(x).chunk(2, dim=-1)  # [*, hidden] each
        return self.contract(self.dropout(F.silu(gate) * value))


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
