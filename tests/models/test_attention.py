"""Attention in blocks of rows, against torch's own over padded rows and an explicit mask."""

import pytest
import torch
import torch.nn.functional as F

from recsys.models import attention
from recsys.models.attention import Layout, attend
from recsys.models.rows import PackedRows, PaddedRows, Rows

H, L, D = 2, 19, 8
LENGTHS = torch.tensor([1, 3, 4, 4, 7, 9, 12, 17, 19])
KINDS = [PackedRows, PaddedRows]


def reference(x: list[torch.Tensor], rows: Rows) -> torch.Tensor:
    """Of queries, keys and values [B, L, D], what the mask of `rows` allows, at real positions [N, D]."""
    heads = (part.unflatten(2, (H, -1)).transpose(1, 2) for part in x)
    mixed = F.scaled_dot_product_attention(*heads, attn_mask=rows.mask()).transpose(1, 2).flatten(2)
    return mixed[torch.arange(L) < LENGTHS[:, None]]


def cells(x: torch.Tensor, rows: Rows) -> torch.Tensor:
    """[B, L, *] -> [N, *]."""
    return x.flatten(0, 1)[rows.pack(torch.arange(x.shape[0] * x.shape[1]).view(x.shape[:2]))]


def attended(x: list[torch.Tensor], rows: Rows) -> torch.Tensor:
    query, key, value = (cells(part, rows) for part in x)
    mixed = rows.attend(query, torch.cat([key, value], dim=1), num_heads=H, dropout=0.0)
    return rows.unpack(mixed)[torch.arange(L) < LENGTHS[:, None]]


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize(("scores", "worth"), [(1, 0), (2 * H * L * L, 2**15), (2**19, 0), (2**19, 2**15)])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_torchs_attention_with_its_gradients(
    kind: type[Rows], causal: bool, scores: int, worth: int, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "BLOCK_SCORES", scores)
    monkeypatch.setattr(attention, "WORTH", worth)
    if order == "shuffled":
        monkeypatch.setattr(f"{__name__}.LENGTHS", LENGTHS[torch.randperm(len(LENGTHS))])
    rows = kind(LENGTHS, width=L, causal=causal)
    x = [torch.randn(len(LENGTHS), L, D, requires_grad=True) for _ in range(3)]
    expected, found = reference(x, rows), attended(x, rows)
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(expected)
    for one, other in zip(
        torch.autograd.grad((found * weight).sum(), x), torch.autograd.grad((expected * weight).sum(), x), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_ends_alone_get_what_they_get_among_all(kind: type[Rows], causal: bool) -> None:
    rows = kind(LENGTHS, width=L, causal=causal)
    query, key, value = (cells(torch.randn(len(LENGTHS), L, D), rows).requires_grad_() for _ in range(3))
    ends = rows.ends()

    def gradients(mixed: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return mixed, *torch.autograd.grad(mixed.square().sum(), (query, key, value))

    key_value = torch.cat([key, value], dim=1)
    among = gradients(ends.asking(rows.attend(query, key_value, num_heads=H, dropout=0.0)))
    alone = gradients(ends.attend(ends.asking(query), torch.cat([key, value], dim=1), num_heads=H, dropout=0.0))
    assert alone[0].shape == (len(LENGTHS), D)
    for one, other in zip(alone, among, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("causal", [True, False])
def test_gradients_with_dropout_are_those_of_finite_differences(causal: bool) -> None:
    lengths = torch.tensor([2, 5, 3])
    parts = [torch.randn(10, size).double().requires_grad_() for size in (4, 8)]

    def drawn_alike(*tensors: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return attend(*tensors, Layout(lengths, num_heads=2, causal=causal), dropout=0.5)

    assert torch.autograd.gradcheck(drawn_alike, parts)


def test_dropout_keeps_the_mean() -> None:
    query, key_value, layout = (
        torch.randn(10, 4),
        torch.randn(10, 8),
        Layout(torch.tensor([4, 6]), num_heads=2, causal=True),
    )
    mean = torch.stack([attend(query, key_value, layout, dropout=0.5) for _ in range(3000)]).mean(0)
    torch.testing.assert_close(mean, attend(query, key_value, layout), atol=0.15, rtol=0.0)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_items_is_finite(kind: type[Rows], causal: bool) -> None:
    rows = kind(torch.tensor([0, 3]), width=4, causal=causal)
    x = torch.randn(2, 4, D, requires_grad=True)
    packed = cells(x, rows)
    mixed = rows.unpack(rows.attend(packed, torch.cat([packed, packed], dim=1), num_heads=H, dropout=0.0))
    assert mixed.isfinite().all()
    assert torch.autograd.grad(mixed.sum(), x)[0].isfinite().all()


def test_blocks_are_as_wide_as_their_rows_and_hold_what_stays_in_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = Layout(torch.full((64,), 100), num_heads=2, causal=True).blocks
    assert {block.shape for block in blocks} == {(16, 2, 104, 104)}
    monkeypatch.setattr(attention, "WORTH", 2**10)
    blocks = Layout(torch.tensor([3] * 32 + [50] * 32), num_heads=2, causal=True).blocks
    assert [block.shape for block in blocks] == [(32, 2, 8, 8), (32, 2, 56, 56)]
