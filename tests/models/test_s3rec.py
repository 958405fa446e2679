"""S3-Rec's encoder: one set of weights, two masks."""

import pytest
import torch
from grid import build
from torch import Tensor, nn
from torch.nn import functional as F

from recsys.data.catalogue import Catalogue
from recsys.models.s3rec import S3Rec

V, PAD, MASK = 12, 12, 13
ROWS = torch.tensor([[3, 1, 4, 7, 5], [2, 8, PAD, PAD, PAD]])


def model(*overrides: str) -> S3Rec:
    return build("model", "s3rec", "max_length=8", "model.dim=16", *overrides)(Catalogue(num_items=V)).eval()


def published(model: S3Rec, items: Tensor, bias: Tensor) -> Tensor:
    """The encoder as the paper has it, one row [L] with what is added to the scores [L, L]; positions from the end."""
    x = model.embedding.weight[items] + model.positions.weight[: len(items)].flip(0)  # [L, D]
    x = F.layer_norm(x, x.shape[1:], model.norm.weight, model.norm.bias, eps=1e-12)
    for block in model.transformer.blocks:
        attention, heads = block.attention, []
        key, value = attention.key_value(x).chunk(2, dim=1)
        for q, k, v in zip(*(part.chunk(2, dim=1) for part in (attention.query(x), key, value)), strict=True):
            heads.append(torch.softmax(q @ k.T / q.shape[1] ** 0.5 + bias, dim=1) @ v)
        x = block.attention_norm(x + attention.output(torch.cat(heads, dim=1)))
        hidden = F.gelu(block.feedforward.expand(x))
        x = block.feedforward_norm(x + block.feedforward.contract(hidden))
    return x


def test_fine_tuning_is_the_published_encoder_under_the_causal_mask() -> None:
    encoder = model()
    bias = torch.full((5, 5), -torch.inf).triu(1)
    torch.testing.assert_close(encoder.encode(ROWS)[0], published(encoder, ROWS[0], bias), atol=1e-5, rtol=1e-5)


def test_pre_training_is_the_same_encoder_without_it() -> None:
    encoder = model()
    row = torch.tensor([3, MASK, 4, MASK, 5])
    expected = published(encoder, row, torch.zeros(5, 5))
    torch.testing.assert_close(encoder.encode_both_ways(row[None])[0], expected, atol=1e-5, rtol=1e-5)


def test_both_ways_padding_changes_nothing_and_is_finite() -> None:
    """The released code adds -10,000 to padding's scores, so a row of padding attends to everything."""
    encoder = model()
    both = encoder.encode_both_ways(torch.cat([ROWS, torch.full((1, 5), PAD)]))
    torch.testing.assert_close(both[1, :2], encoder.encode_both_ways(torch.tensor([[2, 8]]))[0], atol=1e-5, rtol=1e-5)
    assert both.isfinite().all()


def test_a_state_sees_both_sides_in_pre_training_alone() -> None:
    encoder, changed = model(), ROWS.clone()
    changed[0, 4] = 9
    assert not torch.allclose(encoder.encode_both_ways(ROWS)[0, 0], encoder.encode_both_ways(changed)[0, 0])
    torch.testing.assert_close(encoder.encode(ROWS)[0, 0], encoder.encode(changed)[0, 0])


def test_the_recipe_is_the_papers() -> None:
    encoder = build("model", "s3rec", "max_length=50")(Catalogue(num_items=4000))
    assert encoder.embedding.weight[:4000].std().item() == pytest.approx(0.02, rel=0.02)
    assert encoder.positions.weight.shape == (50, 64)
    assert encoder.positions.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert encoder.embedding.weight[4000].abs().sum() == 0
    assert encoder.item_table().bias is None
    assert encoder.item_table().weight.data_ptr() == encoder.embedding.weight.data_ptr()
    (first, second) = encoder.transformer.blocks
    assert (first.attention.num_heads, first.attention.dropout, second.dropout.p) == (2, 0.5, 0.5)
    assert first.feedforward.dropout.p == 0
    assert first.feedforward.expand.weight.shape == (256, 64)
    assert isinstance(encoder.norm, nn.LayerNorm)
    assert encoder.norm.eps == 1e-12
