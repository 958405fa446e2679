"""K-fold splits: run every fold, and each user or each interaction is a test question exactly once."""

import numpy as np

from recsys.data.sequences import UserSequences
from recsys.data.splits.base import Split, TieSplitter, split_where
from recsys.data.splits.ties import TieOrder


class _Folds(TieSplitter):
    """Fold `fold` is the test set, the next one (after the last the first) the validation set.

    num_folds: at least 3, so that something is left to train on. fold: 0 to num_folds - 1. seed: of the draw, which
    is the same for every fold.
    """

    def __init__(self, *, num_folds: int = 5, fold: int = 0, seed: int = 0, ties: TieOrder | None = None) -> None:
        super().__init__(ties=ties)
        if num_folds < 3:
            raise ValueError(f"num_folds ({num_folds}) must be at least 3 (test, validation, training)")
        if not 0 <= fold < num_folds:
            raise ValueError(f"fold ({fold}) must be from 0 to num_folds - 1 ({num_folds - 1})")
        self.num_folds = num_folds
        self.fold = fold
        self.seed = seed

    @property
    def _valid_fold(self) -> int:
        return (self.fold + 1) % self.num_folds


class InteractionFolds(_Folds):
    """K-fold over interactions: each user's items are dealt out at random, as evenly as they go.

    A user is asked for those of their items that lie in the fold, given the others: for the test set those of the
    validation fold too. Inputs are in order of time and may be later than a target. In every fold together each
    interaction is asked for once, so predictions out of fold cover the data.
    """

    def split(self, sequences: UserSequences) -> Split:
        """Raises ValueError naming the first user without an input (one with fewer than 3 items)."""
        rows = sequences.items
        random, ids = np.random.default_rng(self.seed), rows.row_ids()
        order = np.lexsort((random.random(len(ids)), ids))
        place = np.arange(len(ids)) - rows.starts[ids]  # the k-th in a user's random order
        start = random.integers(self.num_folds, size=rows.num_rows)  # else fold 0 would get all the remainders
        fold = np.empty(len(ids), dtype=np.int64)
        fold[order] = (place + start[ids]) % self.num_folds
        is_test, is_valid = fold == self.fold, fold == self._valid_fold
        is_train = ~is_test & ~is_valid
        return split_where(sequences, train=is_train, valid=(is_train, is_valid), test=(~is_test, is_test))

    def name(self) -> str:
        return f"fold {self.fold} of {self.num_folds} over interactions (seed {self.seed})"


class UserFolds(_Folds):
    """K-fold over users: those of the test and of the validation fold are not trained on at all.

    They are asked for the last `held_out` of their items given the others ("strong generalisation", Liang et al.,
    WWW 2018, who hold out a random part). Models that know users by a vector have nothing to go by: `recsys train`
    refuses them.

    held_out: share of an asked user's items, rounded down but at least one.
    """

    def __init__(
        self,
        *,
        num_folds: int = 5,
        fold: int = 0,
        seed: int = 0,
        held_out: float = 0.2,
        ties: TieOrder | None = None,
    ) -> None:
        super().__init__(num_folds=num_folds, fold=fold, seed=seed, ties=ties)
        if not 0 < held_out < 1:
            raise ValueError(f"held_out ({held_out}) must be above 0 and below 1; set split.held_out=0.2")
        self.held_out = held_out

    def split(self, sequences: UserSequences) -> Split:
        """Raises ValueError naming the first asked user without an input (one with a single item)."""
        rows, ids = sequences.items, sequences.items.row_ids()
        deal = np.random.default_rng(self.seed).permutation(rows.num_rows) % self.num_folds  # [U]
        kept = rows.lengths - np.maximum(rows.lengths * self.held_out + 1e-9, 1).astype(np.int64)  # [U]
        is_input = np.arange(len(ids)) - rows.starts[ids] < kept[ids]
        is_valid, is_test = deal[ids] == self._valid_fold, deal[ids] == self.fold
        return split_where(
            sequences,
            train=~is_valid & ~is_test,
            valid=(is_valid & is_input, is_valid & ~is_input),
            test=(is_test & is_input, is_test & ~is_input),
        )

    def name(self) -> str:
        return f"fold {self.fold} of {self.num_folds} over users (seed {self.seed}), {self.held_out:g} held out of each"
