"""Hidden positives and known dislikes against a walk over each user's ratings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.sequences import UserSequences
from recsys.data.splits import EvalSet, HiddenPositives, RandomOrder


def made(rows: list[tuple[str, int, float, int]]) -> UserSequences:
    frame = pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"])
    return UserSequences.from_frame(frame, name="toy")


def random_data(seed: int) -> UserSequences:
    rng = np.random.default_rng(seed)
    return made(
        [
            (f"u{user:02}", int(item), float(rng.integers(1, 6)), int(rng.integers(30)))
            for user in range(20)
            for item in rng.choice(40, size=rng.integers(2, 25), replace=False)
        ]
    )


def questions(part: EvalSet) -> list[tuple[int, list[int], int]]:
    """(user, input, target) of rows with one target each."""
    return [(int(u), part.inputs.row(r).tolist(), int(part.targets.row(r)[0])) for r, u in enumerate(part.users)]


def test_by_hand() -> None:
    ratings = (5, 1, 4, 3, 5, 2, 4, 5)  # of items 0 to 7, in time
    data = made([("a", item, rating, item) for item, rating in enumerate(ratings)])
    splitter = HiddenPositives(hidden=0.25)
    split, labelled = splitter(data), splitter.labelled(data)
    [(_, _, missing)] = questions(labelled.missing)
    trained = [item for item in (0, 2, 3, 4) if item != missing]
    assert split.train.row(0).tolist() == trained
    assert questions(split.valid) == [(0, trained, 6)]
    assert questions(split.test) == [(0, [*trained, 6], 7)]
    before = {item: [other for other in trained if other < item] for item in range(8)}
    assert questions(labelled.missing) == [(0, before[missing], missing)]
    assert questions(labelled.disliked) == [(0, before[1], 1), (0, before[5], 5)]
    assert questions(labelled.observed) == [(0, before[item], item) for item in trained]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), hidden=st.sampled_from([0.1, 0.3, 0.5]))
def test_every_rating_is_one_thing_and_inputs_are_what_was_trained_on_before(seed: int, hidden: float) -> None:
    splitter = HiddenPositives(hidden=hidden, seed=seed, ties=RandomOrder(seed=1))
    data = random_data(seed)
    split, labelled, ordered = splitter(data), splitter.labelled(data), splitter.ordered(data)
    test = {user: (row, target) for user, row, target in questions(split.test)}
    valid = {user: target for user, _, target in questions(split.valid)}
    parts = {name: questions(getattr(labelled, name)) for name in ("observed", "missing", "disliked")}
    for user in range(data.num_users):
        items, ratings = ordered.items.row(user).tolist(), ordered.ratings[ordered.items.take([user]).positions()]
        liked = [item for item, rating in zip(items, ratings, strict=True) if rating > 2]
        trained = split.train.row(user).tolist()
        mine = {name: [target for u, _, target in rows if u == user] for name, rows in parts.items()}
        assert mine["disliked"] == [item for item in items if item not in liked]
        assert mine["observed"] == trained
        if len(liked) >= 3:
            assert (valid[user], test[user]) == (liked[-2], ([*trained, liked[-2]], liked[-1]))
            assert len(mine["missing"]) == int(hidden * (len(liked) - 2) + 1e-9)
            assert sorted([*trained, *mine["missing"]]) == sorted(liked[:-2])
        else:
            assert user not in test
        for rows in parts.values():
            for _, row, target in (each for each in rows if each[0] == user):
                assert row == [item for item in trained if items.index(item) < items.index(target)]


def test_what_it_needs_is_said() -> None:
    bare = UserSequences.from_frame(pd.DataFrame({"user": ["a"] * 4, "item": range(4)}), name="toy")
    with pytest.raises(ValueError, match=r"hidden_positives needs ratings and toy has none; .*data\.reader\.rating"):
        HiddenPositives()(bare)
    liked = made([("a", item, 5.0, item) for item in range(5)])
    with pytest.raises(ValueError, match=r"max_disliked \(2\) must have ratings of toy on both sides, and 0 of 5"):
        HiddenPositives()(liked)
    with pytest.raises(ValueError, match=r"hidden \(1\.0\) must be above 0 and below 1"):
        HiddenPositives(hidden=1.0)
