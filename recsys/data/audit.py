"""What of the evaluation leaks into training or cannot be answered: counts, and a sentence for each."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

import numpy as np

from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.splits.base import EvalSet, Split
from recsys.data.splits.known import in_input


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Counts of what makes a result on a split look better or worse than it is. None: unknown without timestamps.

    late_training_events: training events later than the earliest test target, of whatever user. Leave-one-out has many:
        a model learns from other users' later events what a real one could not have known.
    simultaneous_training_events: as late as that target to the second, which may have come before or after it.
    late_inputs: questions, of validation and test, whose input holds an event later than their earliest target.
    test_users, test_targets: how many there are, to hold the others against. users_not_asked: of the data, in the test.
    cold_test_users: test users without a training item. cold_test_items: distinct test targets that no training row
        holds; cold_test_targets: how many of the targets they are.
    duplicate_interactions: repeats of a user with the same item, in the data as a whole.
    targets_in_input: targets, of validation and test, that their own input holds; where seen items are removed, nobody
        can hit them.
    """

    late_training_events: int | None
    late_inputs: int | None
    test_users: int
    test_targets: int
    users_not_asked: int
    cold_test_users: int
    cold_test_items: int
    cold_test_targets: int
    duplicate_interactions: int
    targets_in_input: int
    simultaneous_training_events: int | None = None

    @classmethod
    def of(cls, split: Split, sequences: UserSequences) -> "Audit":
        """The audit of a split of these sequences."""
        num_items, test = sequences.num_items, split.test
        trained = np.zeros(num_items, dtype=bool)
        trained[split.train.flat()] = True
        targets = test.targets.flat()
        return cls(
            late_training_events=_count_events(np.greater, split.train, test.targets),
            simultaneous_training_events=_count_events(np.equal, split.train, test.targets),
            late_inputs=_late_inputs(split.valid, split.test),
            test_users=len(test.users),
            test_targets=len(targets),
            users_not_asked=sequences.num_users - len(test.users),
            cold_test_users=int(split.is_cold(test).sum()),
            cold_test_items=len(np.unique(targets[~trained[targets]])),
            cold_test_targets=int((~trained[targets]).sum()),
            duplicate_interactions=sequences.num_interactions - num_pairs(sequences),
            targets_in_input=sum(int(in_input(part, num_items=num_items).sum()) for part in (split.valid, split.test)),
        )

    def sentences(self) -> list[str]:
        """What was found, one sentence per kind; what is not there is said too."""
        unknown = "unknown, for the data has no timestamps"
        late, inputs = (
            unknown if count is None else f"{count:,}" for count in (self.late_training_events, self.late_inputs)
        )
        ties = self.simultaneous_training_events
        return [
            f"Training events later than the earliest test target: {late}{f', at its time {ties:,}' if ties else ''}.",
            f"Questions whose input holds something later than a target: {inputs}.",
            f"Users who are asked nothing in the test: {self.users_not_asked:,}.",
            f"Test users without a training item: {self.cold_test_users:,} of {self.test_users:,}.",
            f"Test targets that nobody trained on: {self.cold_test_targets:,} of {self.test_targets:,} "
            f"({self.cold_test_items:,} distinct items).",
            f"Repeated interactions of a user with the same item: {self.duplicate_interactions:,}.",
            f"Targets that stand in their own input: {self.targets_in_input:,}.",
        ]

    def record(self) -> dict[str, int | None]:
        """The counts by name, for run.json."""
        return asdict(self)


def sentences_of(record: Mapping[str, Any]) -> list[str]:
    """What `record` of an audit said, read back from a run's; empty where it lacks a count."""
    known = {field.name: record[field.name] for field in fields(Audit) if field.name in record}
    needed = {field.name for field in fields(Audit) if field.default is MISSING}
    return Audit(**known).sentences() if needed <= known.keys() else []


def num_pairs(sequences: UserSequences) -> int:
    """Distinct pairs of user and item."""
    rows = sequences.items
    return len(np.unique(rows.row_ids() * sequences.num_items + rows.flat()))


def times_in(rows: Ragged) -> np.ndarray | None:
    """The time of each value, row after row; None where it is not known."""
    return None if rows.timestamps is None else np.asarray(rows.timestamps[rows.positions()])


def _count_events(compare: np.ufunc, train: Ragged, targets: Ragged) -> int | None:
    learned, asked = times_in(train), times_in(targets)
    return None if learned is None or asked is None else int(compare(learned, asked.min()).sum())


def _late_inputs(*parts: EvalSet) -> int | None:
    counts = []
    for part in parts:
        read, asked = times_in(part.inputs), times_in(part.targets)
        if read is None or asked is None:
            return None
        latest = np.maximum.reduceat(read, _row_starts(part.inputs))  # no row is empty
        counts.append(int((latest > np.minimum.reduceat(asked, _row_starts(part.targets))).sum()))
    return sum(counts)


def _row_starts(rows: Ragged) -> np.ndarray:
    return np.cumsum(rows.lengths) - rows.lengths
