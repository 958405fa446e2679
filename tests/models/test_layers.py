import torch
import torch.nn.functional as F

from recsys.models.layers import ItemEmbedding, SelfAttention, attention_mask

PAD = 9


def test_attention_mask_is_padding_times_causal() -> None:
    mask = attention_mask(torch.tensor([[4, 2, PAD]]), pad=PAD)
    expected = [[1, 0, 0], [1, 1, 0], [1, 1, 0]]
    assert mask.int().tolist() == [[expected]]


def test_causal_attention_equals_the_explicit_mask_at_real_positions() -> None:
    items = torch.tensor([[1, 2, 3, 4], [5, 6, PAD, PAD]])
    attention = SelfAttention(dim=8, num_heads=2)
    x = torch.randn(2, 4, 8)
    key, value = attention.key_value(x).chunk(2, dim=-1)
    heads = (t.unflatten(2, (2, 4)).transpose(1, 2) for t in (attention.query(x), key, value))
    explicit = F.scaled_dot_product_attention(*heads, attn_mask=attention_mask(items, pad=PAD))
    explicit = attention.output(explicit.transpose(1, 2).flatten(2))
    real = items != PAD
    torch.testing.assert_close(attention(x, x)[real], explicit[real])


def test_heads_must_divide_the_hidden_size() -> None:
    import pytest

    with pytest.raises(ValueError, match=r"dim \(64\) must be divisible by num_heads \(3\)"):
        SelfAttention(dim=64, num_heads=3)


def test_special_ids_stand_behind_the_items() -> None:
    embedding = ItemEmbedding(5, 4)
    assert embedding(torch.tensor(5)).tolist() == [0.0] * 4
    assert embedding.item_table().weight.shape == (5, 4)
    assert embedding(torch.tensor(6)).abs().sum() > 0
