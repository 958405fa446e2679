"""Splits: what a model may train on, and what it is asked. Small callables `UserSequences -> Split`."""

import hashlib
from typing import NamedTuple, Protocol

import numpy as np

from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences


class EvalSet(NamedTuple):
    """Questions of one evaluation: given a user's input, rank the targets.

    users: [U] int64, user index of each row.
    inputs: U rows of items, oldest first: what the model sees; the seen items too.
    targets: U rows of relevant items.
    """

    users: np.ndarray
    inputs: Ragged
    targets: Ragged


class Split(NamedTuple):
    """Training rows and the two evaluation sets; all of them views on the same items.

    train: one row of items per training user, oldest first.
    """

    train: Ragged
    valid: EvalSet
    test: EvalSet

    def fingerprint(self) -> str:
        """Digest of every row of the split: equal on any machine for the same data and the same split."""
        digest = hashlib.sha256()
        for rows in (self.train, self.valid.inputs, self.valid.targets, self.test.inputs, self.test.targets):
            digest.update(np.ascontiguousarray(rows.lengths, dtype="<i8").tobytes())
            digest.update(np.ascontiguousarray(rows.flat(), dtype="<i8").tobytes())
        return digest.hexdigest()


class Splitter(Protocol):
    """Anything that turns sequences into a split."""

    def __call__(self, sequences: UserSequences) -> Split: ...


class LeaveOneOut:
    """Leave-one-out: per user the last item is the test target, the one before it the validation target.

    Training sees items[:-2]; validation asks for items[-2] given items[:-2]; test asks for items[-1] given
    items[:-1], the validation item included, as SASRec (Kang and McAuley, ICDM 2018) and its successors do.
    """

    def __call__(self, sequences: UserSequences) -> Split:
        """Raises ValueError naming the first user with fewer than 3 items."""
        items = sequences.items
        short = np.flatnonzero(items.lengths < 3)
        if len(short):
            user = sequences.users.ids[short[0]]
            raise ValueError(
                f"user {user} has {items.lengths[short[0]]} item(s) and leave-one-out needs at least 3 "
                f"({len(short)} of {items.num_rows} users have too few); set data.min_user_items=3 or more"
            )
        users = np.arange(items.num_rows)
        last = Ragged(items.values, items.starts + items.lengths - 1, np.ones_like(items.lengths))
        return Split(
            train=items.trim(tail=2),
            valid=EvalSet(users, items.trim(tail=2), last._replace(starts=last.starts - 1)),
            test=EvalSet(users, items.trim(tail=1), last),
        )
