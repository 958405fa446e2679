"""Attention of rows that are laid end to end, against torch's own over padded rows and an explicit mask."""

import math

import pytest
import torch
import torch.nn.functional as F

from recsys.kernels.draws import LEVELS
from recsys.kernels.library import library
from recsys.models import attention
from recsys.models.attention import attend
from recsys.models.rows import PackedRows, PaddedRows, Rows

LENGTHS = torch.tensor([1, 3, 4, 4, 7, 9, 12, 17, 33])
B, L = len(LENGTHS), 33
SIZES = [(2, 4), (1, 50), (3, 16), (2, 32)]  # heads, numbers of each

compiled = pytest.mark.skipif(library() is None, reason="no C compiler")


class PlainRows(PackedRows):
    """Where nothing is compiled."""

    def attend(self, *args: torch.Tensor, **options: object) -> torch.Tensor:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("recsys.models.rows.packed.takes", lambda _: False)
            return super().attend(*args, **options)  # pyright: ignore[reportArgumentType]


KINDS = [PackedRows, PlainRows, PaddedRows]


def reference(x: list[torch.Tensor], rows: Rows, *, heads: int) -> torch.Tensor:
    """Of queries, keys and values [B, L, D], what the mask of `rows` allows, at real positions [N, D]."""
    parts = (part.unflatten(2, (heads, -1)).transpose(1, 2) for part in x)
    mixed = F.scaled_dot_product_attention(*parts, attn_mask=rows.mask()).transpose(1, 2).flatten(2)
    return mixed[rows.real().squeeze(2)]


def cells(x: torch.Tensor, rows: Rows) -> torch.Tensor:
    """[B, L, *] -> [N, *]."""
    return x.flatten(0, 1)[rows.pack(torch.arange(x.shape[0] * x.shape[1]).view(x.shape[:2]))]


def attended(x: list[torch.Tensor], rows: Rows, *, heads: int) -> torch.Tensor:
    query, key, value = (cells(part, rows) for part in x)
    mixed = rows.attend(query, torch.cat([key, value], dim=1), num_heads=heads, dropout=0.0)
    return rows.unpack(mixed)[rows.real().squeeze(2)]


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize(("heads", "size"), SIZES)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_torchs_attention_with_its_gradients(
    kind: type[Rows], causal: bool, heads: int, size: int, order: str
) -> None:
    lengths = LENGTHS if order == "sorted" else LENGTHS[torch.randperm(B)]
    rows = kind(lengths, width=L, causal=causal)
    x = [torch.randn(B, L, heads * size, requires_grad=True) for _ in range(3)]
    expected, found = reference(x, rows, heads=heads), attended(x, rows, heads=heads)
    torch.testing.assert_close(found, expected)
    weight = torch.randn_like(expected)
    for one, other in zip(
        torch.autograd.grad((found * weight).sum(), x), torch.autograd.grad((expected * weight).sum(), x), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("scale", [30.0, 3000.0])
def test_scores_of_any_size_make_weights_that_add_up_to_one(scale: float) -> None:
    x = [torch.randn(B, L, 8) * scale, torch.randn(B, L, 8), torch.randn(B, L, 8)]
    rows = PackedRows(LENGTHS, width=L, causal=True)
    torch.testing.assert_close(attended(x, rows, heads=2), reference(x, rows, heads=2), atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("after", [0, 4, B])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_ends_alone_get_what_they_get_among_all(kind: type[Rows], causal: bool, after: int) -> None:
    rows = kind(LENGTHS, width=L, causal=causal)
    query, key, value = (cells(torch.randn(B, L, 8), rows).requires_grad_() for _ in range(3))
    ends = rows.ends(after=after)
    places = (rows.real().squeeze(2) & (torch.arange(B) < after)[:, None]).flatten().nonzero().squeeze(1)

    def asked(mixed: torch.Tensor) -> torch.Tensor:
        """Of what asks, what is no padding."""
        return torch.cat([ends.at(mixed, places), ends.at_ends(mixed)])

    def gradients(mixed: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return asked(mixed), *torch.autograd.grad(asked(mixed).square().sum(), (query, key, value))

    key_value = torch.cat([key, value], dim=1)
    among = gradients(ends.asking(rows.attend(query, key_value, num_heads=2, dropout=0.0)))
    alone = gradients(ends.attend(ends.asking(query), torch.cat([key, value], dim=1), num_heads=2, dropout=0.0))
    assert alone[0].shape == (LENGTHS[:after].sum() + B - after, 8)
    for one, other in zip(alone, among, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)


def dropped_alike(dropout: float, **options: bool):
    """Attention of one row of 21 cells with one mask at every call, and that mask, [21, 21]: 0 or the scale."""
    count = 21

    def drawn(query: torch.Tensor, key_value: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return attend(query, key_value, torch.tensor([count]), num_heads=1, dropout=dropout, **options)

    shown = torch.cat([torch.zeros(count, count), torch.eye(count)], dim=1)  # weights alone come out of it
    weights = drawn(torch.zeros(count, count), shown)
    seen = torch.ones(count, count).tril() if options["causal"] else torch.ones(count, count)
    return drawn, weights * seen.sum(1, keepdim=True)


@compiled
@pytest.mark.parametrize("causal", [True, False])
def test_both_directions_drop_the_same(causal: bool) -> None:
    drawn, mask = dropped_alike(0.5, causal=causal)
    assert mask.unique().tolist() == pytest.approx([0.0, 2.0])
    query, key, value = (torch.randn(21, 21, requires_grad=True) for _ in range(3))
    scores = query @ key.T / math.sqrt(21)
    if causal:
        scores = scores.masked_fill(torch.ones(21, 21).triu(1).bool(), -torch.inf)
    expected = scores.softmax(1) * mask @ value
    found = drawn(query, torch.cat([key, value], dim=1))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    weight = torch.randn_like(found)
    for one, other in zip(
        torch.autograd.grad((found * weight).sum(), (query, key, value)),
        torch.autograd.grad((expected * weight).sum(), (query, key, value)),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@compiled
def test_what_is_dropped_depends_on_query_key_head_and_call() -> None:
    count, heads = 64, 2
    shown = torch.cat([torch.zeros(2 * count, heads * count), torch.eye(count).repeat(2, heads)], dim=1)
    lengths = torch.tensor([count, count])

    def mask() -> torch.Tensor:
        """[rows, queries, heads, keys]"""
        weights = attend(
            torch.zeros(2 * count, heads * count), shown, lengths, num_heads=heads, causal=False, dropout=0.2
        )
        return (weights > 0).float().view(2, count, heads, count)

    kept = mask()
    share = round(0.2 * LEVELS) / LEVELS
    assert kept.mean().item() == pytest.approx(1 - share, abs=4 * math.sqrt(share * (1 - share) / kept.numel()))
    others = [kept.roll(1, axis) for axis in range(4)] + [kept.roll(4, 3), kept.roll(16, 1), mask()]
    for other in others:
        assert torch.corrcoef(torch.stack([kept.flatten(), other.flatten()]))[0, 1].abs() < 0.04


@pytest.mark.parametrize("kind", [PackedRows, PlainRows])
def test_dropout_keeps_the_mean(kind: type[Rows]) -> None:
    query, key_value, rows = torch.randn(16, 4), torch.randn(16, 8), kind(torch.tensor([4, 6]), width=6, causal=True)
    query, key_value = query[: rows.num_cells], key_value[: rows.num_cells]

    def mixed(dropout: float) -> torch.Tensor:
        return rows.attend(query, key_value, num_heads=2, dropout=dropout)

    mean = torch.stack([mixed(0.5) for _ in range(3000)]).mean(0)
    torch.testing.assert_close(mean, mixed(0.0), atol=0.15, rtol=0.0)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_items_is_finite(kind: type[Rows], causal: bool) -> None:
    rows = kind(torch.tensor([0, 3]), width=4, causal=causal)
    x = torch.randn(2, 4, 8, requires_grad=True)
    packed = cells(x, rows)
    mixed = rows.unpack(rows.attend(packed, torch.cat([packed, packed], dim=1), num_heads=2, dropout=0.0))
    assert mixed.isfinite().all()
    assert torch.autograd.grad(mixed.sum(), x)[0].isfinite().all()


@compiled
def test_cells_behind_the_last_row_are_zero_and_bear_no_gradient() -> None:
    lengths = torch.tensor([3, 2])
    query, key_value = torch.randn(8, 4, requires_grad=True), torch.randn(8, 8, requires_grad=True)
    mixed = attend(query, key_value, lengths, num_heads=2, causal=True)
    assert not mixed[5:].any()
    for slope in torch.autograd.grad(mixed.sum(), (query, key_value)):
        assert not slope[5:].any()


@compiled
def test_two_workers_come_to_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = torch.randint(1, 60, (70,))
    query, key_value = torch.randn(int(lengths.sum()), 8), torch.randn(int(lengths.sum()), 16)

    def mixed() -> list[torch.Tensor]:
        torch.manual_seed(5)
        x = (query.clone().requires_grad_(), key_value.clone().requires_grad_())
        out = attend(*x, lengths, num_heads=2, causal=True, dropout=0.3)
        return [out, *torch.autograd.grad(out.square().sum(), x)]

    monkeypatch.setattr(attention, "ranges", lambda costs: [(0, len(costs))])
    expected = mixed()
    monkeypatch.setattr(attention, "ranges", lambda costs: [(0, 23), (23, len(costs))])
    found = mixed()
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


@compiled
@pytest.mark.parametrize("ends", [False, True])
def test_rows_and_heads_drop_alike_in_both_directions(ends: bool) -> None:
    lengths, heads = torch.tensor([9, 1, 30]), 2
    query = torch.randn(3 if ends else 40, 32, requires_grad=True)
    key_value = torch.randn(40, 64, requires_grad=True)

    def mixed(query: torch.Tensor, key_value: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(8)
        options = {"num_heads": heads, "causal": True, "num_whole": 0 if ends else None}
        return attend(query, key_value, lengths, dropout=0.4, **options)

    weight = torch.randn(len(query), 32)
    slopes = torch.autograd.grad((mixed(query, key_value) * weight).sum(), (query, key_value))
    with torch.no_grad():
        for x, slope, place in ((query, slopes[0], 0), (key_value, slopes[1], 1)):
            direction, step = torch.randn_like(x), 1e-2
            sides = []
            for sign in (1, -1):
                moved = [query, key_value]
                moved[place] = x + sign * step * direction
                sides.append((mixed(*moved) * weight).double().sum())
            found = (sides[0] - sides[1]) / (2 * step)
            assert found.item() == pytest.approx((slope * direction).sum().item(), rel=2e-2, abs=2e-2)


@compiled
def test_what_is_not_a_number_is_not_hidden() -> None:
    query, key_value = torch.randn(6, 4), torch.randn(6, 8)
    key_value[2, 0] = torch.nan
    mixed = attend(query, key_value, torch.tensor([6]), num_heads=1, causal=True)
    assert mixed[:2].isfinite().all()
    assert mixed[2:].isnan().all()


@compiled
def test_memory_outlives_hooks_that_move_what_is_saved() -> None:
    query, key_value = torch.randn(6, 4, requires_grad=True), torch.randn(6, 8)
    expected = torch.autograd.grad(
        attend(query, key_value, torch.tensor([2, 4]), num_heads=1, causal=True).sum(), query
    )
    with torch.autograd.graph.saved_tensors_hooks(lambda x: x.clone().numpy(), torch.from_numpy):
        out = attend(query, key_value, torch.tensor([2, 4]), num_heads=1, causal=True)
    torch.testing.assert_close(torch.autograd.grad(out.sum(), query), expected)


@compiled
def test_lengths_of_any_layout_and_rows_that_do_not_fit() -> None:
    query, key_value = torch.randn(6, 4), torch.randn(6, 8)
    expected = attend(query, key_value, torch.tensor([2, 4]), num_heads=1, causal=True)
    for lengths in (torch.tensor([2, 4], dtype=torch.int32), torch.tensor([2, 0, 4, 0])[::2]):
        assert torch.equal(attend(query, key_value, lengths, num_heads=1, causal=True), expected)
    with pytest.raises(ValueError, match="rows of 7 cells, but 6 queries and 6 keys"):
        attend(query, key_value, torch.tensor([3, 4]), num_heads=1, causal=True)
    assert attend(query[:0], key_value[:0], torch.tensor([], dtype=torch.long), num_heads=1, causal=True).shape == (
        0,
        4,
    )


@compiled
def test_no_memory_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "call_each", lambda name, several: [0])
    with pytest.raises(MemoryError, match="make max_length smaller"):
        attend(torch.randn(3, 4), torch.randn(3, 8), torch.tensor([3]), num_heads=1, causal=True)
