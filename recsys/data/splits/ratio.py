"""A share of each user's items, the latest ones."""

import numpy as np

from recsys.data.sequences import UserSequences
from recsys.data.splits.base import Split, TieSplitter, split_where
from recsys.data.splits.ties import TieOrder


class Ratio(TieSplitter):
    """Per user: the last items are the test targets, those before them the validation targets; several each.

    valid, test: share of a user's items, rounded down but at least one. Test inputs include the validation items.
    """

    def __init__(self, *, valid: float = 0.1, test: float = 0.1, ties: TieOrder | None = None) -> None:
        super().__init__(ties=ties)
        if not (valid > 0 and test > 0 and valid + test < 1):
            raise ValueError(
                f"valid ({valid}) and test ({test}) must be above 0 and leave something to train on; "
                "set split.valid=0.1 split.test=0.1"
            )
        self.valid = valid
        self.test = test

    def split(self, sequences: UserSequences) -> Split:
        """Raises ValueError naming the first user with fewer than 3 items."""
        rows = sequences.items
        test, valid = (np.maximum(rows.lengths * share + 1e-9, 1).astype(np.int64) for share in (self.test, self.valid))
        ids = rows.row_ids()
        left = rows.lengths[ids] - (np.arange(len(ids)) - rows.starts[ids])  # 1 at a user's last item
        is_test, is_train = left <= test[ids], left > (test + valid)[ids]
        is_valid = ~is_test & ~is_train
        return split_where(sequences, train=is_train, valid=(is_train, is_valid), test=(~is_test, is_test))

    def name(self) -> str:
        return f"per user, the last {self.test:g} for test and {self.valid:g} before them for validation"
