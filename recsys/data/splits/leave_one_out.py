"""Leave-one-out."""

import numpy as np

from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.splits.base import EvalSet, Split, TieSplitter


class LeaveOneOut(TieSplitter):
    """Leave-one-out: per user the last item is the test target, the one before it the validation target.

    Training sees items[:-2]; validation asks for items[-2] given items[:-2]; test asks for items[-1] given
    items[:-1], the validation item included, as SASRec (Kang and McAuley, ICDM 2018) and its successors do.
    """

    def split(self, sequences: UserSequences) -> Split:
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
        last = Ragged(items.values, items.starts + items.lengths - 1, np.ones_like(items.lengths), items.timestamps)
        return Split(
            train=items.trim(tail=2),
            valid=EvalSet(users, items.trim(tail=2), last._replace(starts=last.starts - 1)),
            test=EvalSet(users, items.trim(tail=1), last),
        )

    def name(self) -> str:
        return "leave-one-out"
