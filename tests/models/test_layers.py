import torch
import torch.nn.functional as F

from recsys.models.layers import ItemEmbedding, SelfAttention
from recsys.models.rows import rows_of


def test_causal_attention_is_heads_between_linear_layers() -> None:
    attention, x = SelfAttention(dim=8, num_heads=2), torch.randn(1, 4, 8)
    rows = rows_of(torch.tensor([4]), width=4, causal=True)
    key, value = attention.key_value(x).chunk(2, dim=-1)
    heads = (t.unflatten(2, (2, 4)).transpose(1, 2) for t in (attention.query(x), key, value))
    expected = F.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).flatten(2)
    torch.testing.assert_close(attention(x[0], x[0], rows), attention.output(expected)[0])


def test_heads_must_divide_the_hidden_size() -> None:
    import pytest

    with pytest.raises(ValueError, match=r"dim \(64\) must be divisible by num_heads \(3\)"):
        SelfAttention(dim=64, num_heads=3)


def test_special_ids_stand_behind_the_items() -> None:
    embedding = ItemEmbedding(5, dim=4)
    assert embedding(torch.tensor(5)).tolist() == [0.0] * 4
    assert embedding.item_table().weight.shape == (5, 4)
    assert embedding(torch.tensor(6)).abs().sum() > 0
