import numpy as np
import pytest
import torch

from recsys.data.collators import Evaluation, NextItem
from recsys.data.datamodule import InOrder, LengthBuckets, SequenceDataModule, users_at_once
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split

PAD = 9


def test_next_item_by_hand() -> None:
    batch = NextItem(num_items=PAD, max_length=3)(np.array([4, 5]), Ragged.from_rows([[0, 1, 2, 3, 4], [5, 6]]))
    assert batch.users.tolist() == [4, 5]
    assert batch.items.tolist() == [[1, 2, 3], [5, PAD, PAD]]
    assert batch.targets.tolist() == [[2, 3, 4], [6, PAD, PAD]]
    assert batch.target_mask.tolist() == [[True] * 3, [True, False, False]]
    assert batch.items.dtype == torch.int64


@pytest.mark.parametrize(("longest", "max_length", "width"), [(3, 50, 8), (9, 50, 8), (10, 50, 16), (60, 50, 50)])
def test_a_batch_is_about_as_wide_as_its_longest_row(longest: int, max_length: int, width: int) -> None:
    rows = Ragged.from_rows([[0, 1], list(range(longest))])
    assert NextItem(num_items=PAD, max_length=max_length)(np.arange(2), rows).items.shape == (2, width)


def test_evaluation_sees_the_whole_history_but_reads_its_end() -> None:
    questions = EvalSet(np.array([7, 8]), Ragged.from_rows([[0, 1, 2, 3], [5]]), Ragged.from_rows([[4], [6, 7]]))
    batch = Evaluation(questions, num_items=PAD, max_length=2)(np.array([1, 0]))
    assert batch.users.tolist() == [8, 7]
    assert batch.items.tolist() == [[5, PAD], [2, 3]]
    assert batch.targets.tolist() == [[6, 7], [4, -1]]
    seen = list(zip(batch.seen_rows.tolist(), batch.seen_items.tolist(), strict=True))
    assert seen == [(0, 5), (1, 0), (1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize("pool", [1, 3])
def test_every_row_comes_once_an_epoch_in_an_order_of_its_own(pool: int) -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 95)
    sampler = LengthBuckets(lengths, batch_size=10, pool=pool, seed=1)
    first, again = [np.concatenate(list(sampler)) for _ in range(2)]
    sampler.set_epoch(1)
    second = np.concatenate(list(sampler))
    assert sorted(first) == list(range(95))
    assert sorted(second) == list(range(95))
    assert (first == again).all()
    assert (first != second).any()
    assert len(list(sampler)) == len(sampler)


def test_buckets_hold_rows_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 4000)

    def padding(pool: int) -> float:
        batches = list(LengthBuckets(lengths, batch_size=50, pool=pool, seed=0))
        return 1 - lengths.sum() / sum(len(batch) * lengths[batch].max() for batch in batches)

    assert padding(1) > 0.4
    assert padding(8) < 0.15


def test_evaluation_order_starts_with_the_longest() -> None:
    assert np.concatenate(list(InOrder(np.array([2, 5, 1, 9]), batch_size=3))).tolist() == [3, 1, 0, 2]


@pytest.mark.parametrize(("num_items", "users"), [(1, 512), (16_384, 512), (32_768, 256), (10**6, 128)])
def test_evaluation_batches_are_smaller_where_items_are_many(num_items: int, users: int) -> None:
    assert users_at_once(num_items) == users


def test_loaders_work_without_a_trainer() -> None:
    rows = Ragged.from_rows([[0, 1, 2], [3], [4, 5]])
    questions = EvalSet(np.arange(3), rows, rows)
    module = SequenceDataModule(
        Split(rows, questions, questions),
        num_items=PAD,
        max_length=4,
        collator=NextItem(num_items=PAD, max_length=4),
        batch_size=2,
        eval_batch_size=2,
        pool=1,
        seed=0,
    )
    (batch,) = module.get_dataloader("train")
    assert batch.target_mask.sum() == 3  # the row of one item has nothing to predict
    assert sum(len(batch.users) for batch in module.get_dataloader("test")) == 3


def test_rows_without_anything_to_predict_are_an_error() -> None:
    rows = Ragged.from_rows([[0], [3]])
    questions = EvalSet(np.arange(2), rows, rows)
    with pytest.raises(ValueError, match="no user has 2 training items"):
        SequenceDataModule(
            Split(rows, questions, questions),
            num_items=PAD,
            max_length=4,
            collator=NextItem(num_items=PAD, max_length=4),
            batch_size=2,
            eval_batch_size=2,
            pool=1,
            seed=0,
        )
