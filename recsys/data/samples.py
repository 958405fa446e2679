"""Training samples: which stretches of the users' rows a batch is made of."""

from typing import NamedTuple, Protocol

import numpy as np

from recsys.data.ragged import Ragged


class Samples(NamedTuple):
    """S samples. users: [S] int64, whom each is from. rows: S rows of items, views on the users' own."""

    users: np.ndarray
    rows: Ragged


class Sampling(Protocol):
    """Decides what the samples of an epoch are."""

    def __call__(self, rows: Ragged) -> Samples:
        """`rows`: the training items of each user. ValueError where there is nothing to learn from."""
        ...


class WholeRows:
    """Each user with something to predict, that is at least two training items, is one sample."""

    def __call__(self, rows: Ragged) -> Samples:
        users = np.flatnonzero(rows.lengths >= 2)
        if len(users) == 0:
            raise ValueError(
                "no user has 2 training items, so there is nothing to predict; set data.min_user_items higher"
            )
        return Samples(users, rows.take(users))


class EveryPrefix:
    """Every prefix of each user's last `max_length` items is a sample, as in S3-Rec's pre-training.

    A user with n items gives min(n, max_length) samples, of 1, 2, ... items; together they are views and copy nothing.
    """

    def __init__(self, *, max_length: int) -> None:
        self.max_length = max_length

    def __call__(self, rows: Ragged) -> Samples:
        kept = rows.last(self.max_length)
        users = kept.row_ids()  # [S]
        if len(users) == 0:
            raise ValueError(
                "no user has a training item, so there is nothing to learn; set data.min_user_items higher"
            )
        before = np.cumsum(kept.lengths) - kept.lengths
        sizes = np.arange(len(users)) - before[users] + 1  # [S], 1, 2, ... within each user
        return Samples(users, kept.take(users)._replace(lengths=sizes))
