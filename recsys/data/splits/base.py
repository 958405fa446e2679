"""What a split is, and how one is made of marks on the interactions."""

import hashlib
from typing import NamedTuple, Protocol

import numpy as np

from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.splits.ties import FileOrder, TieOrder


class EvalSet(NamedTuple):
    """Questions of one evaluation: given a user's input, rank the targets.

    users: [U] int64, user index of each row.
    inputs: U rows of items, oldest first: what the model sees; the seen items too.
    targets: U rows of relevant items, none twice in a row.
    """

    users: np.ndarray
    inputs: Ragged
    targets: Ragged


class Split(NamedTuple):
    """Training rows and the two evaluation sets; views on the same items where the split cuts rows in two.

    train: one row of items per user index, oldest first; empty where nothing of a user is trained on.
    """

    train: Ragged
    valid: EvalSet
    test: EvalSet

    def fingerprint(self) -> str:
        """Digest of every row of the split: equal on any machine for the same data and the same split."""
        digest = hashlib.sha256()
        for questions in (self.valid, self.test):
            if not np.array_equal(questions.users, np.arange(self.train.num_rows)):  # else rows say whose they are
                digest.update(np.ascontiguousarray(questions.users, dtype="<i8").tobytes())
        for rows in (self.train, self.valid.inputs, self.valid.targets, self.test.inputs, self.test.targets):
            digest.update(np.ascontiguousarray(rows.lengths, dtype="<i8").tobytes())
            digest.update(np.ascontiguousarray(rows.flat(), dtype="<i8").tobytes())
        return digest.hexdigest()

    def is_cold(self, questions: EvalSet) -> np.ndarray:
        """Whether each user of `questions` has no training item, [U] bool."""
        return self.train.lengths[questions.users] == 0


class Splitter(Protocol):
    """Anything that turns sequences into a split."""

    def __call__(self, sequences: UserSequences) -> Split: ...

    def ordered(self, sequences: UserSequences) -> UserSequences:
        """The sequences in the order that the split reads them in."""
        ...

    def describe(self) -> str:
        """The split in one line, stored with every result."""
        ...


class TieSplitter:
    """A split of sequences whose equal timestamps have first been put into a declared order.

    ties: that order; None is that of the file.
    """

    def __init__(self, *, ties: TieOrder | None = None) -> None:
        self.ties = FileOrder() if ties is None else ties

    def __call__(self, sequences: UserSequences) -> Split:
        """Raises ValueError that names the user who would be asked without an input or without a target."""
        return self.split(self.ordered(sequences))

    def ordered(self, sequences: UserSequences) -> UserSequences:
        return self.ties(sequences)

    def describe(self) -> str:
        return f"{self.name()}; equal timestamps {self.ties.describe()}"

    def split(self, sequences: UserSequences) -> Split:
        """The split of sequences in their final order."""
        raise NotImplementedError

    def name(self) -> str:
        """What it is, without the order of ties."""
        raise NotImplementedError


def rows_where(rows: Ragged, keep: np.ndarray) -> Ragged:
    """Every row's marked values, in their order. keep: one mark per value, row after row, bool."""
    lengths = np.bincount(rows.row_ids()[keep], minlength=rows.num_rows)
    kept = rows.positions()[keep]
    times = None if rows.timestamps is None else rows.timestamps[kept]
    return Ragged.from_lengths(rows.values[kept], lengths)._replace(timestamps=times)


def distinct(rows: Ragged) -> Ragged:
    """Every row with the first of each of its items: an item asked for twice is one question."""
    items, ids = rows.flat().astype(np.int64), rows.row_ids()
    _, first = np.unique(ids * (items.max(initial=0) + 1) + items, return_index=True)
    keep = np.zeros(len(items), dtype=bool)
    keep[first] = True
    return rows if keep.all() else rows_where(rows, keep)


def split_where(
    sequences: UserSequences,
    *,
    train: np.ndarray,
    valid: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> Split:
    """The split that marks on the N interactions describe; users without a target are not asked.

    valid, test: (marks of the inputs, marks of the targets), each [N] bool, as is `train`.
    """
    rows = sequences.items
    return Split(
        train=rows_where(rows, train),
        valid=_questions(sequences, valid, part="validation"),
        test=_questions(sequences, test, part="test"),
    )


def _questions(sequences: UserSequences, marks: tuple[np.ndarray, np.ndarray], *, part: str) -> EvalSet:
    inputs, targets = (rows_where(sequences.items, mark) for mark in marks)
    users = np.flatnonzero(targets.lengths)
    questions = EvalSet(users, inputs.take(users), distinct(targets.take(users)))
    check_questions(questions, sequences, part=part)
    return questions


def check_questions(questions: EvalSet, sequences: UserSequences, *, part: str) -> None:
    """Raises ValueError where nobody is asked, or naming the first user without an input or a target."""
    if len(questions.users) == 0:
        raise ValueError(f"the {part} set has no users: no interaction is held out; move the cut or hold out more")
    for rows, what in ((questions.inputs, "input"), (questions.targets, "target")):
        empty = np.flatnonzero(rows.lengths == 0)
        if len(empty):
            user = sequences.users.ids[questions.users[empty[0]]]
            raise ValueError(
                f"user {user} has no {what} item in the {part} set ({len(empty):,} of {len(questions.users):,} users "
                "have none); set data.min_user_items higher or hold out less"
            )


def random_share(share: float, among: np.ndarray, users: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Marks a random share of each user's marked events, rounded down, [N]; users ascend."""
    keys = np.where(among, random.random(len(users)), 2.0)  # what is not marked comes last
    order = np.lexsort((keys, users))
    counts = np.bincount(users[among], minlength=users[-1] + 1)
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    place = np.arange(len(users)) - np.repeat(starts, np.diff(np.append(starts, len(users))))
    chosen = np.zeros(len(users), dtype=bool)
    chosen[order] = place < (counts[users] * share + 1e-9).astype(np.int64)
    return chosen
