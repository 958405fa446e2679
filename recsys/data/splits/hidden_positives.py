"""A split that tells what is missing from what is disliked: some positives are hidden, low ratings are known."""

from typing import NamedTuple

import numpy as np

from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.splits.base import EvalSet, Split, TieSplitter, random_share, rows_where, split_where
from recsys.data.splits.ties import TieOrder


class Labelled(NamedTuple):
    """Interactions as questions with one target each; the input is what training holds of the user before it.

    A user stands in as many rows as they have such interactions; the input is empty where training holds none before.
    observed: trained on. missing: positives that were hidden. disliked: rated low.
    """

    observed: EvalSet
    missing: EvalSet
    disliked: EvalSet


class HiddenPositives(TieSplitter):
    """Leave-one-out over the positives, of which a random share is hidden; low ratings are neither read nor trained on.

    To ask what a loss makes of a missing value and of a true negative: a hidden positive is an item that the user
    liked and nobody says so, a low rating one that the user is known to dislike. Training sees neither.

    max_disliked: ratings up to this are dislikes, those above it positives.
    hidden: share of each user's positives before the last two that is hidden, rounded down. seed: of their draw.
    A user with fewer than 3 positives left is trained on and not asked.
    """

    def __init__(
        self, *, max_disliked: float = 2.0, hidden: float = 0.2, seed: int = 0, ties: TieOrder | None = None
    ) -> None:
        super().__init__(ties=ties)
        if not 0 < hidden < 1:
            raise ValueError(f"hidden ({hidden}) must be above 0 and below 1; set split.hidden=0.2")
        self.max_disliked = max_disliked
        self.hidden = hidden
        self.seed = seed

    def split(self, sequences: UserSequences) -> Split:
        """Raises ValueError where there are no ratings, or all are on one side of `max_disliked`."""
        is_train, is_valid, is_test, _, _ = self._marks(sequences)
        return split_where(sequences, train=is_train, valid=(is_train, is_valid), test=(is_train | is_valid, is_test))

    def labelled(self, sequences: UserSequences) -> Labelled:
        """What `__call__` trains on, hides and knows to be disliked of the same sequences."""
        ordered = self.ordered(sequences)
        is_train, _, _, is_missing, is_disliked = self._marks(ordered)
        rows = ordered.items
        train, users = rows_where(rows, is_train), rows.row_ids()
        before = np.cumsum(is_train) - is_train - train.starts[users]  # training items of the user before each
        return Labelled(*(_questions(rows, mark, before, train) for mark in (is_train, is_missing, is_disliked)))

    def name(self) -> str:
        return (
            f"leave-one-out over ratings above {self.max_disliked:g}, {self.hidden:g} of the rest hidden "
            f"(seed {self.seed})"
        )

    def _marks(self, sequences: UserSequences) -> tuple[np.ndarray, ...]:
        """Training, validation, test, hidden, disliked: [N] bool each."""
        rows = sequences.items
        users = rows.row_ids()
        is_disliked = _ratings(sequences) <= self.max_disliked
        if is_disliked.all() or not is_disliked.any():
            raise ValueError(
                f"max_disliked ({self.max_disliked:g}) must have ratings of {sequences.name} on both sides, and "
                f"{is_disliked.sum():,} of {len(users):,} are up to it; change split.max_disliked, and leave "
                "data.min_rating=null so that low ratings are read"
            )
        is_positive = ~is_disliked
        after = _from_the_end(is_positive, users)  # positives of the user behind each
        asked = (np.bincount(users[is_positive], minlength=rows.num_rows) >= 3)[users] & is_positive
        is_test, is_valid = asked & (after == 0), asked & (after == 1)
        rest = is_positive & ~is_test & ~is_valid
        is_missing = random_share(self.hidden, rest, users, np.random.default_rng(self.seed))
        return rest & ~is_missing, is_valid, is_test, is_missing, is_disliked


def _ratings(sequences: UserSequences) -> np.ndarray:
    if sequences.ratings is None:
        raise ValueError(
            f"split=hidden_positives needs ratings and {sequences.name} has none; name their column "
            "(data.reader.rating), or set split=leave_one_out"
        )
    return np.asarray(sequences.ratings)


def _from_the_end(marks: np.ndarray, users: np.ndarray) -> np.ndarray:
    """How many marked events of the same user stand behind each, [N]; users ascend."""
    counts = np.bincount(users[marks], minlength=users[-1] + 1)
    ends = np.cumsum(counts)[users]
    return ends - np.cumsum(marks)


def _questions(rows: Ragged, marks: np.ndarray, before: np.ndarray, train: Ragged) -> EvalSet:
    """The marked events, each given the first `before` of its user's training items."""
    users, places = rows.row_ids()[marks], rows.positions()[marks]
    inputs = train._replace(starts=train.starts[users], lengths=before[marks])
    return EvalSet(users, inputs, Ragged.from_lengths(rows.values[places], np.ones_like(users)))
