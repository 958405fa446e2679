import numpy as np
import pytest
import torch

from recsys.data.collators import Cloze, LastItem
from recsys.data.ragged import Ragged

PAD, MASK = 40, 41


def rows(*lengths: int) -> Ragged:
    """Rows 0 1 2 ... of the given lengths."""
    return Ragged.from_rows([list(range(length)) for length in lengths])


def test_last_item_by_hand() -> None:
    collate = LastItem(num_items=PAD, max_length=3, random_end=False)
    batch = collate(np.array([4, 5]), Ragged.from_rows([[0, 1, 2, 3, 4], [5, 6]]))
    assert batch.users.tolist() == [5, 4]  # the shortest first
    assert batch.items.tolist() == [[5, PAD, PAD], [1, 2, 3]]
    assert batch.targets.tolist() == [[6, PAD, PAD], [PAD, PAD, 4]]
    assert batch.target_mask.tolist() == [[True, False, False], [False, False, True]]
    assert batch.items.dtype == batch.targets.dtype == torch.int64


def test_every_prefix_is_drawn_equally_often() -> None:
    batch = LastItem(num_items=PAD, max_length=9)(np.arange(4000), rows(*[5] * 4000))
    targets = batch.targets[batch.target_mask]  # one a row, in the order of the rows
    assert np.bincount(targets).tolist()[0] == 0
    assert np.bincount(targets)[1:] == pytest.approx([1000] * 4, abs=100)
    lengths = (batch.items != PAD).sum(1)
    assert (lengths == targets).all()  # row 0 1 2 ...: the target is the number of items before it
    assert (batch.items.gather(1, lengths[:, None] - 1).squeeze() == targets - 1).all()


def test_cloze_hides_the_rounded_share_and_at_least_one_item() -> None:
    batch = Cloze(num_items=PAD, max_length=30, mask_prob=0.2, last_only=0.0)(np.arange(4), rows(30, 18, 3, 2))
    assert batch.target_mask.sum(1).tolist() == [6, 4, 1, 1]
    assert (batch.items[batch.target_mask] == MASK).all()
    shown = ~batch.target_mask
    assert (batch.items[shown] == batch.targets[shown]).all()
    assert batch.targets[1].tolist() == [*range(18), *[PAD] * 12]
    assert not batch.target_mask[batch.targets == PAD].any()


def test_cloze_hides_every_position_equally_often() -> None:
    mask = Cloze(num_items=PAD, max_length=9, mask_prob=0.3, last_only=0.0)(np.arange(4000), rows(*[10] * 4000))
    assert mask.target_mask.float().mean(0).numpy() == pytest.approx([3 / 9] * 9, abs=0.03)
    assert mask.targets[0].tolist() == list(range(1, 10))  # the last nine of the row


def test_a_share_of_cloze_rows_hides_the_last_item_alone() -> None:
    batch = Cloze(num_items=PAD, max_length=30, mask_prob=0.5, last_only=0.25)(np.arange(4000), rows(*[6, 9] * 2000))
    alone = batch.target_mask.sum(1) == 1
    assert alone.float().mean().item() == pytest.approx(0.25, abs=0.03)
    last = (batch.targets != PAD).sum(1) - 1
    assert batch.target_mask[alone, last[alone]].all()


@pytest.mark.parametrize("collator", [Cloze(num_items=PAD, max_length=30), LastItem(num_items=PAD, max_length=30)])
def test_what_is_random_is_new_each_time_and_follows_the_seed(collator: Cloze | LastItem) -> None:
    torch.manual_seed(3)
    first, second = (collator(np.arange(20), rows(*[20] * 20)).items.tolist() for _ in range(2))
    torch.manual_seed(3)
    assert collator(np.arange(20), rows(*[20] * 20)).items.tolist() == first != second


@pytest.mark.parametrize("share", [0.0, 1.0, -0.2])
def test_an_impossible_share_of_masks_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=rf"mask_prob \({share}\) must be above 0 and below 1"):
        Cloze(num_items=PAD, max_length=5, mask_prob=share)


def test_an_impossible_share_of_last_items_is_refused() -> None:
    with pytest.raises(ValueError, match=r"last_only \(1.5\) must be from 0 to 1"):
        Cloze(num_items=PAD, max_length=5, last_only=1.5)
