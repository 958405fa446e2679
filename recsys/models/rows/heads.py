"""The heads of attention over padded rows, apart and side by side again."""

from torch import Tensor


def heads_of(query: Tensor, key_value: Tensor, *, num_rows: int, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of B padded rows, queries [Q, D], keys and values [B L, 2 D] -> [B, H, Q / B, d] and [B, H, L, d] twice."""
    query, key, value = (
        part.unflatten(0, (num_rows, -1)).unflatten(2, (num_heads, -1)).transpose(1, 2)
        for part in (query, *key_value.chunk(2, dim=1))
    )
    return query, key, value


def side_by_side(mixed: Tensor) -> Tensor:
    """What the heads made of B padded rows, [B, H, Q / B, d] -> [Q, D]."""
    return mixed.transpose(1, 2).flatten(2).flatten(0, 1)
