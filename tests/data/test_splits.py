import numpy as np
import pandas as pd
import pytest

from recsys.data.sequences import UserSequences
from recsys.data.splits import LeaveOneOut


def sequences(rows: dict[str, list[int]]) -> UserSequences:
    pairs = [(user, item) for user, items in rows.items() for item in items]
    return UserSequences.from_frame(pd.DataFrame(pairs, columns=["user", "item"]), name="toy")


def lists(ragged) -> list[list[int]]:
    return [ragged.row(index).tolist() for index in range(ragged.num_rows)]


def test_leave_one_out_by_hand() -> None:
    split = LeaveOneOut()(sequences({"a": [0, 1, 2, 3], "b": [3, 2, 1]}))
    assert lists(split.train) == [[0, 1], [3]]
    assert (lists(split.valid.inputs), lists(split.valid.targets)) == ([[0, 1], [3]], [[2], [2]])
    assert (lists(split.test.inputs), lists(split.test.targets)) == ([[0, 1, 2], [3, 2]], [[3], [1]])


def test_no_target_is_trained_on_and_every_input_is_the_past() -> None:
    rng = np.random.default_rng(0)
    data = sequences({f"u{user}": rng.permutation(40)[: rng.integers(3, 20)].tolist() for user in range(30)})
    split = LeaveOneOut()(data)
    for user in range(30):
        whole = data.items.row(user).tolist()
        assert whole == [
            *split.train.row(user),
            *split.valid.targets.row(user),
            *split.test.targets.row(user),
        ]
        assert whole[:-1] == split.test.inputs.row(user).tolist()


def test_a_user_with_too_few_items_is_named() -> None:
    with pytest.raises(ValueError, match=r"user b has 2 item\(s\) and leave-one-out needs at least 3 .*min_user_items"):
        LeaveOneOut()(sequences({"a": [0, 1, 2], "b": [1, 2]}))


def test_the_fingerprint_tells_splits_apart() -> None:
    one = LeaveOneOut()(sequences({"a": [0, 1, 2, 3], "b": [3, 2, 1]}))
    same = LeaveOneOut()(sequences({"a": [0, 1, 2, 3], "b": [3, 2, 1]}))
    other = LeaveOneOut()(sequences({"a": [0, 1, 3, 2], "b": [3, 2, 1]}))
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()
