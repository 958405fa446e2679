"""The other splits against brute force, and what every split promises."""

from collections import Counter
from functools import cache

import numpy as np
import pandas as pd
import pytest
from grid import composed, options
from hydra.utils import instantiate
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.splits import (
    GlobalTemporal,
    InteractionFolds,
    ItemIdOrder,
    KnownTargets,
    LeaveOneOut,
    MaskedAndFuture,
    RandomOrder,
    Ratio,
    Splitter,
    UserFolds,
)


def made(rows: list[tuple[str, int, int]]) -> UserSequences:
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    return UserSequences.from_frame(frame.assign(rating=1.0 + frame["item"] % 5), name="toy")


def random_data(seed: int, *, repeats: bool = False) -> UserSequences:
    """30 users with 3 to 19 of 40 items at times of few distinct values."""
    rng, rows = np.random.default_rng(seed), []
    for user in range(30):
        items = rng.choice(40, size=rng.integers(3, 20), replace=repeats)
        rows += [(f"u{user:02}", int(item), int(rng.integers(50))) for item in items]
    return made(rows)


def lists(ragged: Ragged) -> list[list[int]]:
    return [ragged.row(index).tolist() for index in range(ragged.num_rows)]


@cache
def splitter_of(option: str) -> Splitter:
    return instantiate(composed(f"split={option}").split)


@pytest.mark.parametrize("option", options("split"))
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), repeats=st.booleans())
def test_every_split_partitions_what_it_uses(option: str, seed: int, repeats: bool) -> None:
    """Nothing is trained on and asked, per user the parts together hold no more than there is, no part is empty."""
    data = random_data(seed, repeats=repeats)
    splitter = splitter_of(option)
    split = splitter(data)
    assert split.train.num_rows == data.num_users
    held: dict[int, Counter] = {user: Counter(row) for user, row in enumerate(lists(split.train))}
    for questions in (split.valid, split.test):
        assert len(set(questions.users)) == len(questions.users) > 0
        assert questions.inputs.lengths.min() >= 1
        assert questions.targets.lengths.min() >= 1
        for user, row, given_items in zip(
            questions.users, lists(questions.targets), lists(questions.inputs), strict=True
        ):
            assert len(set(row)) == len(row)
            held[user].update(row)
            assert not Counter(given_items) - Counter(data.items.row(user).tolist())
    for user, items in held.items():
        assert not items - Counter(data.items.row(user).tolist())
    assert splitter(data).fingerprint() == split.fingerprint()


def test_temporal_by_hand() -> None:
    rows = [("a", 0, 0), ("a", 1, 1), ("a", 2, 6), ("a", 3, 8), ("a", 4, 9), ("b", 5, 7), ("b", 1, 8), ("c", 2, 9)]
    cuts = {"valid_time": 6.0, "test_time": 8.0}
    split = GlobalTemporal(**cuts)(made(rows))
    assert lists(split.train) == [[0, 1], [], []]
    assert (split.valid.users.tolist(), lists(split.valid.targets)) == ([0], [[2]])
    assert (lists(split.test.inputs), lists(split.test.targets)) == ([[0, 1, 2]], [[3, 4]])
    assert split.is_cold(split.test).tolist() == [False]
    asked = GlobalTemporal(**cuts, ask_cold_users=True, max_targets=1)(made(rows))
    assert asked.valid.users.tolist() == [0]  # b's first item is in the window: it is all that is known
    assert (asked.test.users.tolist(), lists(asked.test.inputs)) == ([0, 1], [[0, 1, 2], [5]])
    assert lists(asked.test.targets) == [[3], [1]]
    assert asked.is_cold(asked.test).tolist() == [False, True]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), cold=st.booleans())
def test_temporal_never_trains_or_reads_beyond_the_cut(seed: int, cold: bool) -> None:
    split = GlobalTemporal(ask_cold_users=cold)(random_data(seed))
    assert split.train.timestamps is not None
    train = split.train.timestamps[split.train.positions()]
    for questions in (split.valid, split.test):
        assert questions.targets.timestamps is not None
        assert train.max() < questions.targets.timestamps[questions.targets.positions()].min()
        for row in range(len(questions.users)):
            one = np.array([row])
            last = questions.inputs.timestamps[questions.inputs.take(one).positions()].max()  # pyright: ignore
            assert last <= questions.targets.timestamps[questions.targets.take(one).positions()].min()


def test_quantiles_are_shares_of_all_interactions() -> None:
    data = made([("a" if i % 2 else "b", i, i) for i in range(100)])
    split = GlobalTemporal(valid_quantile=0.5, test_quantile=0.75)(data)
    assert (split.train.lengths.sum(), split.valid.targets.lengths.sum()) == (50, 25)


def test_ratio_takes_the_latest_share_at_least_one() -> None:
    data = made([("a", i, i) for i in range(20)] + [("b", i, i) for i in range(3)])
    split = Ratio(valid=0.1, test=0.25)(data)
    assert lists(split.train) == [list(range(13)), [0]]
    assert lists(split.valid.targets) == [[13, 14], [1]]
    assert lists(split.test.targets) == [list(range(15, 20)), [2]]


@pytest.mark.parametrize("kind", [InteractionFolds, UserFolds])
def test_all_folds_together_ask_for_everything_once(kind: type) -> None:
    data = random_data(1)
    asked: Counter = Counter()
    for fold in range(4):
        test = kind(num_folds=4, fold=fold, seed=7)(data).test
        asked.update((user, item) for user, row in zip(test.users, lists(test.targets), strict=True) for item in row)
    whole = {(user, item) for user, row in enumerate(lists(data.items)) for item in row}
    assert max(asked.values()) == 1
    if kind is InteractionFolds:
        assert set(asked) == whole
    assert {user for user, _ in asked} == set(range(data.num_users))


def test_users_of_the_fold_are_not_trained_on() -> None:
    split = UserFolds(num_folds=3, held_out=0.5)(random_data(2))
    for questions in (split.valid, split.test):
        assert split.is_cold(questions).all()
    assert (split.train.lengths > 0).sum() == 10


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_masked_and_future_asks_for_all_after_the_cut_and_a_share_before(seed: int) -> None:
    data = random_data(seed)
    split = MaskedAndFuture(masked=0.25, valid_time=30.0, test_time=40.0)(data)
    asked = dict(zip(split.test.users.tolist(), lists(split.test.targets), strict=True))
    for user in np.flatnonzero(split.train.lengths):
        row = np.array([user])
        times, items = data.timestamps[data.items.take(row).positions()], data.items.row(user)  # pyright: ignore
        future = set(items[times >= 40].tolist())
        targets = set(asked.get(user, []))
        assert future <= targets
        assert len(targets - future) == len(items[times < 40]) // 4


def test_ties_in_a_declared_order() -> None:
    rows = [("a", item, time) for item, time in ((3, 1), (9, 0), (1, 1), (2, 1), (8, 2))]
    assert lists(ItemIdOrder()(made(rows)).items) == lists(ItemIdOrder()(made(rows[::-1])).items)
    ids = made(rows).vocabulary.ids
    assert ids[ItemIdOrder()(made(rows)).items.row(0)].tolist() == [9, 1, 2, 3, 8]
    drawn = {tuple(ids[RandomOrder(seed=s)(made(rows)).items.row(0)].tolist()) for s in range(40)}
    assert drawn == {(9, *p, 8) for p in ((1, 2, 3), (1, 3, 2), (2, 1, 3), (2, 3, 1), (3, 1, 2), (3, 2, 1))}
    for seed in range(5):
        there, here = (RandomOrder(seed=seed)(made(some)).items for some in (rows, rows[::-1]))
        assert lists(there) == lists(here)
    assert "by item id" in LeaveOneOut(ties=ItemIdOrder()).describe()
    assert "in file order" in LeaveOneOut().describe()


def test_known_targets_drops_cold_and_repeated_ones() -> None:
    data = made(
        [("a", i, t) for t, i in enumerate((0, 1, 1, 2))]
        + [("b", i, t) for t, i in enumerate((2, 0, 1, 0))]
        + [("c", i, t) for t, i in enumerate((1, 0, 2, 9))]
    )
    split = KnownTargets(LeaveOneOut())(data)
    assert (split.valid.users.tolist(), lists(split.valid.targets)) == ([1, 2], [[1], [2]])  # a's stands in its input
    assert (split.test.users.tolist(), lists(split.test.targets)) == ([0], [[2]])  # b repeats 0, nobody trains on 9


@pytest.mark.parametrize(
    ("splitter", "message"),
    [
        (InteractionFolds(num_folds=3), r"user b has no input item in the validation set"),
        (Ratio(), r"user b has no input item in the validation set"),
    ],
)
def test_a_user_without_input_is_named(splitter: InteractionFolds | Ratio, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        splitter(made([("a", i, i) for i in range(9)] + [("b", 0, 0), ("b", 1, 1)]))


def test_no_times_no_temporal_split() -> None:
    data = UserSequences.from_frame(pd.DataFrame({"user": ["a"] * 4, "item": range(4)}), name="toy")
    for splitter, name in ((GlobalTemporal(), "temporal"), (MaskedAndFuture(), "masked_and_future")):
        with pytest.raises(ValueError, match=f"split={name} needs timestamps and toy has none; .*leave_one_out"):
            splitter(data)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GlobalTemporal(valid_quantile=0.9, test_quantile=0.8), r"valid_quantile \(0.9\) .* must ascend"),
        (lambda: Ratio(valid=0.5, test=0.5), r"valid \(0.5\) and test \(0.5\)"),
        (lambda: InteractionFolds(num_folds=2), r"num_folds \(2\) must be at least 3"),
        (lambda: UserFolds(num_folds=3, fold=3), r"fold \(3\) must be from 0 to num_folds - 1 \(2\)"),
        (lambda: UserFolds(held_out=1.0), r"held_out \(1.0\)"),
        (lambda: MaskedAndFuture(masked=0.6), r"masked \(0.6\)"),
    ],
)
def test_bad_values_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_cuts_outside_the_data_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the cuts in time \(60, 70\) must ascend within the data's times"):
        GlobalTemporal(valid_time=60.0, test_time=70.0)(random_data(0))
