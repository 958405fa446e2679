"""The audit's counts against brute force, and where they must be zero."""

import numpy as np
import pandas as pd
import pytest
from grid import composed, options
from hydra.utils import instantiate

from recsys.data.audit import Audit, sentences_of
from recsys.data.description import Description
from recsys.data.sequences import UserSequences
from recsys.data.splits import GlobalTemporal, LeaveOneOut, Split


def data(seed: int = 0) -> UserSequences:
    rng, rows = np.random.default_rng(seed), []
    for user in range(40):
        rows += [(f"u{user:02}", int(rng.integers(60)), int(rng.integers(50))) for _ in range(rng.integers(3, 15))]
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    return UserSequences.from_frame(frame.assign(rating=1.0 + frame["item"] % 5), name="toy")


def events(rows, index: int) -> list[tuple[int, int]]:
    """(item, time) of each event of a row."""
    span = slice(rows.starts[index], rows.starts[index] + rows.lengths[index])
    return list(zip(rows.values[span].tolist(), rows.timestamps[span].tolist(), strict=True))


def brute(split: Split, sequences: UserSequences) -> Audit:
    train = [event for user in range(split.train.num_rows) for event in events(split.train, user)]
    trained = {item for item, _ in train}
    test = [event for row in range(len(split.test.users)) for event in events(split.test.targets, row)]
    late, inside = 0, 0
    for part in (split.valid, split.test):
        for row in range(len(part.users)):
            read, asked = events(part.inputs, row), events(part.targets, row)
            late += max(time for _, time in read) > min(time for _, time in asked)
            inside += sum(item in {seen for seen, _ in read} for item, _ in asked)
    repeats = sum(
        len(row) - len(set(row)) for row in (sequences.items.row(u).tolist() for u in range(sequences.num_users))
    )
    return Audit(
        late_training_events=sum(time > min(t for _, t in test) for _, time in train),
        simultaneous_training_events=sum(time == min(t for _, t in test) for _, time in train),
        late_inputs=late,
        test_users=len(split.test.users),
        test_targets=len(test),
        users_not_asked=sequences.num_users - len(set(split.test.users.tolist())),
        cold_test_users=sum(split.train.lengths[user] == 0 for user in split.test.users),
        cold_test_items=len({item for item, _ in test} - trained),
        cold_test_targets=sum(item not in trained for item, _ in test),
        duplicate_interactions=repeats,
        targets_in_input=inside,
    )


@pytest.mark.parametrize("option", options("split"))
def test_counts_are_those_of_brute_force(option: str) -> None:
    splitter = instantiate(composed(f"split={option}").split)
    for seed in range(5):
        sequences = data(seed)
        split = splitter(sequences)
        assert Audit.of(split, sequences) == brute(split, sequences)


def test_a_split_in_time_has_no_event_from_the_future() -> None:
    sequences = data()
    audit = Audit.of(GlobalTemporal()(sequences), sequences)
    assert (audit.late_training_events, audit.late_inputs, audit.cold_test_users) == (0, 0, 0)
    leaking = Audit.of(LeaveOneOut()(sequences), sequences)
    assert leaking.late_training_events is not None
    assert leaking.late_training_events > 0
    assert leaking.late_inputs == 0


def test_every_count_has_its_sentence_and_unknown_is_no_zero() -> None:
    frame = pd.DataFrame({"user": ["a"] * 4 + ["b"] * 3, "item": [0, 1, 2, 0, 1, 0, 5]})
    sequences = UserSequences.from_frame(frame, name="toy")
    audit = Audit.of(LeaveOneOut()(sequences), sequences)
    sentences = audit.sentences()
    assert sentences[0].endswith("unknown, for the data has no timestamps.")
    assert sentences[2:] == [
        "Users who are asked nothing in the test: 0.",
        "Test users without a training item: 0 of 2.",
        "Test targets that nobody trained on: 1 of 2 (1 distinct items).",
        "Repeated interactions of a user with the same item: 1.",
        "Targets that stand in their own input: 1.",
    ]
    assert audit.record()["targets_in_input"] == 1
    assert sentences_of(audit.record() | {"split": "leave-one-out"}) == sentences
    assert sentences_of({"test_users": 2}) == []


def test_description_by_hand() -> None:
    rows = [("a", 1, 5), ("a", 2, 5), ("a", 1, 5), ("b", 1, 5), ("b", 3, 9)]
    facts = Description.of(
        UserSequences.from_frame(pd.DataFrame(rows, columns=["user", "item", "timestamp"]), name="toy")
    )
    assert (facts.num_users, facts.num_items, facts.num_interactions) == (2, 3, 5)
    assert facts.density == pytest.approx(4 / 6)
    assert (facts.repeats, facts.ties, facts.first, facts.last) == (1, 2, 5, 9)
    assert facts.lengths[0.5] == 2.5
    assert facts.popularity[1.0] == 3
