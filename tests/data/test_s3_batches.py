"""Batches of S3-Rec's pre-training against what its paper and released code say, row by row."""

from collections import Counter

import numpy as np
import pytest
import torch

from recsys.data.batches import PretrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators import S3Pretraining
from recsys.data.ragged import Ragged

PAD = 100
HELD_OUT = [90, 91]
TRAIN = Ragged.from_rows([[*range(10)], [10, 11, 12], [13]])
WHOLE = Ragged.from_rows([[*range(10), *HELD_OUT], [10, 11, 12, *HELD_OUT], [13, *HELD_OUT]])


def collator(**options) -> S3Pretraining:
    catalogue = Catalogue(num_items=PAD, train=TRAIN, whole=WHOLE)
    return S3Pretraining(catalogue=catalogue, **{"max_length": 12, **options})


def batch(length: int, *, size: int = 4000, **options) -> PretrainBatch:
    """Many copies of the row 0 1 2 ..."""
    return collator(**options)(np.zeros(size, dtype=int), Ragged.from_rows([list(range(length))] * size))


def test_rows_are_as_wide_as_the_longest_and_keep_the_latest_items() -> None:
    made = collator(max_length=4)(np.arange(3), TRAIN)
    assert made.items.tolist() == [[6, 7, 8, 9], [10, 11, 12, PAD], [13, PAD, PAD, PAD]]
    assert made.users.tolist() == [0, 1, 2]
    padding = made.items == PAD
    assert not (made.hidden & padding).any()
    assert not (made.segment & padding).any()


def test_items_are_hidden_with_the_given_probability_and_the_last_always() -> None:
    made = batch(8, mask_prob=0.2)
    shares = made.hidden.float().mean(0)
    assert shares[-1] == 1
    assert shares[:-1].numpy() == pytest.approx([0.2] * 7, abs=0.03)
    together = (made.hidden[:, 0] & made.hidden[:, 1]).float().mean().item()
    assert together == pytest.approx(0.04, abs=0.015)  # each for itself


@pytest.mark.parametrize("length", [2, 3, 7, 10])
def test_segments_are_drawn_as_published(length: int) -> None:
    """Length uniform from 1 to half of the row, then its start uniform; counted by brute force."""
    made = batch(length, size=20_000)
    found = Counter()
    for row in made.segment.numpy():
        (columns,) = np.nonzero(row)
        assert (np.diff(columns) == 1).all()
        found[columns[0], len(columns)] += 1
    half = length // 2
    expected = {
        (start, size): 20_000 / half / (length - size + 1)
        for size in range(1, half + 1)
        for start in range(length - size + 1)
    }
    assert set(found) == set(expected)
    assert all(found[key] == pytest.approx(count, abs=5 * count**0.5) for key, count in expected.items())


def test_the_other_segment_is_a_stretch_of_all_training_rows_end_to_end() -> None:
    made = batch(6, size=5000)
    everything = TRAIN.flat().tolist()
    starts = Counter()
    for items, mask in zip(made.other.tolist(), made.segment.numpy(), strict=True):
        stretch = [item for item, inside in zip(items, mask, strict=True) if inside]
        places = [s for s in range(len(everything)) if everything[s : s + len(stretch)] == stretch]
        assert places
        starts[places[0]] += 1
    assert set(starts) == set(range(len(everything)))  # the last start as well, from segments of one
    assert not set(HELD_OUT) & set(made.other[made.segment].tolist())


def test_as_released_it_comes_from_whole_sequences() -> None:
    made = batch(6, as_released=True)
    assert set(HELD_OUT) <= set(made.other[made.segment].tolist())


def test_a_row_of_one_item_has_no_segment_and_as_released_is_its_own() -> None:
    assert not batch(1, size=50).segment.any()
    made = batch(1, size=50, as_released=True)
    assert made.segment[:, 0].all()
    assert not made.segment[:, 1:].any()
    assert (made.other[:, 0] == made.items[:, 0]).all()


def test_what_is_random_is_new_each_time_and_follows_the_seed() -> None:
    make, users, rows = collator(), np.arange(3), TRAIN
    torch.manual_seed(3)
    first, second = make(users, rows), make(users, rows)
    torch.manual_seed(3)
    again = make(users, rows)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first.hidden, second.hidden)


def test_an_impossible_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"mask_prob \(1.5\) must be from 0 to 1; set task.collator.mask_prob=0.2"):
        collator(mask_prob=1.5)
