"""Which of two interactions with the same timestamp comes first: a policy that a result depends on.

A reordering of ties changed a quarter of MovieLens-1M's test items between two published benchmarks.
"""

from dataclasses import replace
from typing import Protocol

import numpy as np

from recsys.data.sequences import UserSequences


class TieOrder(Protocol):
    """Puts a user's interactions of equal timestamp into an order; those of data without times are left alone."""

    def __call__(self, sequences: UserSequences) -> UserSequences: ...

    def describe(self) -> str:
        """Completes "equal timestamps ..."."""
        ...


class FileOrder:
    """As they stand in the file."""

    def __call__(self, sequences: UserSequences) -> UserSequences:
        return sequences

    def describe(self) -> str:
        return "in file order"


class ItemIdOrder:
    """By raw item id, ascending: the same whatever the order of the file."""

    def __call__(self, sequences: UserSequences) -> UserSequences:
        return _ordered(sequences, sequences.items.flat())  # indices ascend with raw ids

    def describe(self) -> str:
        return "by item id"


class RandomOrder:
    """At random from a seed: the same whatever the order of the file; several seeds show what ties are worth."""

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def __call__(self, sequences: UserSequences) -> UserSequences:
        by_id = ItemIdOrder()(sequences)  # so that the draw meets the same rows whatever the file's order
        keys = np.random.default_rng(self.seed).random(by_id.num_interactions)
        return _ordered(by_id, keys)

    def describe(self) -> str:
        return f"in random order (seed {self.seed})"


def _ordered(sequences: UserSequences, keys: np.ndarray) -> UserSequences:
    """Sorted by user, then time, then key [N]."""
    if sequences.timestamps is None:
        return sequences
    order = np.lexsort((keys, sequences.timestamps, sequences.items.row_ids()))
    items = sequences.items._replace(values=sequences.items.values[order])  # tied: timestamps stay as they are
    ratings = None if sequences.ratings is None else sequences.ratings[order]
    return replace(sequences, items=items, ratings=ratings)
