"""Batches in parts of like length."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.batches import TrainBatch
from recsys.data.collators import Cloze, LastItem, NextItem
from recsys.data.parts import WORTH, RowSizes, batch_width, cut
from recsys.data.ragged import Ragged

V, MAX_LENGTH = 50, 60
LENGTHS = np.sort(np.random.default_rng(0).integers(2, 90, 512))
ROWS = Ragged.from_rows([np.random.default_rng(n).integers(0, V, n).tolist() for n in LENGTHS])
COLLATORS = {
    "next item": NextItem(num_items=V, max_length=MAX_LENGTH),
    "last item": LastItem(num_items=V, max_length=MAX_LENGTH),
    "cloze": Cloze(num_items=V, max_length=MAX_LENGTH),
}


@given(st.lists(st.integers(1, 200), min_size=1, max_size=80), st.booleans(), st.booleans())
def test_parts_cover_the_rows_in_order_and_are_wide_enough(lengths: list[int], ordered: bool, packed: bool) -> None:
    sizes = np.array(sorted(lengths) if ordered else lengths)
    width = batch_width(int(sizes.max()), at_most=200)
    parts = cut(RowSizes(sizes, num_targets=sizes), width=width, packed=packed)
    assert [row for part in parts for row in range(part.rows.start, part.rows.stop)] == list(range(len(sizes)))
    assert [place for part in parts for place in range(part.places.start, part.places.stop)] == list(range(sizes.sum()))
    assert all(part.width >= sizes[part.rows].max() for part in parts)
    assert all(part.width <= width for part in parts)
    cells = sum((part.rows.stop - part.rows.start) * part.width for part in parts)
    if packed:
        assert len(parts) <= 2
        assert sum(part.cost for part in parts) == sizes.sum()
    else:
        assert cells <= len(sizes) * width - WORTH * (len(parts) - 2)  # but for the cut in halves


def parts_of(batch: TrainBatch, *, packed: bool) -> list[TrainBatch]:
    return [batch.part(part) for part in batch.cut(packed=packed)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", COLLATORS)
def test_target_positions_follow_each_other_as_in_the_whole(name: str, packed: bool) -> None:
    batch = COLLATORS[name](np.arange(len(LENGTHS)), ROWS)
    parts = parts_of(batch, packed=packed)
    assert len(parts) > 1
    reads = (lambda each: each.positives, lambda each: each.at_targets(each.items), lambda each: each.users[each.rows])
    for read in reads:
        torch.testing.assert_close(torch.cat([read(part) for part in parts]), read(batch))
    assert packed or sum(part.items.numel() for part in parts) < 0.9 * batch.items.numel()


@pytest.mark.parametrize("packed", [False, True])
def test_many_rows_of_one_length_are_halved(packed: bool) -> None:
    rows = Ragged.from_rows([[1, 2, 3, 4] * 10] * 160)
    batch = COLLATORS["next item"](np.arange(160), rows)
    assert [len(part.users) for part in parts_of(batch, packed=packed)] == [80, 80]


def test_packed_rows_are_halved_by_their_items() -> None:
    lengths = np.array([10] * 96 + [200] * 32)
    first, second = cut(RowSizes(lengths, num_targets=lengths), width=200, packed=True)
    assert (first.rows.stop, second.rows.start) == (112, 112)
    assert (first.cost, second.cost) == (960 + 3200, 3200)


def test_few_rows_of_one_length_are_not_cut() -> None:
    rows = Ragged.from_rows([[1, 2, 3, 4]] * 40)
    batch = COLLATORS["next item"](np.arange(40), rows)
    assert parts_of(batch, packed=False) == [batch]
