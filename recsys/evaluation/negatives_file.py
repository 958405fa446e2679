"""Evaluation negatives that somebody has published."""

import warnings
from pathlib import Path

import numpy as np

from recsys.data.catalogue import Catalogue
from recsys.data.fingerprints import file_fingerprint
from recsys.data.ragged import Ragged
from recsys.data.sources import SequenceText


class NegativesFile:
    """Lines of `user negative negative ...` in raw ids, gzipped or not, as S3-Rec's authors publish theirs.

    path: the file.
    """

    def __init__(self, *, path: str) -> None:
        self.path = Path(path).expanduser()

    def describe(self) -> str:
        return f"negatives of {self.path.name} ({file_fingerprint(self.path)[:8]})"

    def negatives(self, catalogue: Catalogue) -> Ragged:
        """Raises ValueError naming the first user or item that the data has not, or an item that is the user's own."""
        if not self.path.is_file():
            raise FileNotFoundError(
                f"eval.protocol.negatives.path ({self.path}) is no file; give the list of negatives"
            )
        frame = SequenceText().read(self.path)
        users = catalogue.find_users(frame["user"], place=self.path)
        items = catalogue.find_items(frame["item"], place=self.path)
        self._check_own(catalogue, users, items)
        order, counts = np.argsort(users, kind="stable"), np.bincount(users, minlength=catalogue.num_users)
        given = counts[counts > 0]
        if len(np.unique(given)) > 1:
            warnings.warn(
                f"{self.path} gives its users from {given.min()} to {given.max()} negatives: those with few of them "
                "have an easier question",
                stacklevel=2,
            )
        return Ragged.from_lengths(items[order], counts)

    def _check_own(self, catalogue: Catalogue, users: np.ndarray, items: np.ndarray) -> None:
        rows = catalogue.whole
        own = np.repeat(np.arange(rows.num_rows), rows.lengths) * catalogue.num_items + rows.flat()
        wrong = np.flatnonzero(np.isin(users * catalogue.num_items + items, own))
        if len(wrong):
            user, item = catalogue.user_name(int(users[wrong[0]])), catalogue.items.ids[items[wrong[0]]]
            raise ValueError(
                f"{self.path}: item {item} is one of user {user}'s own, so no negative ({len(wrong):,} such); give the "
                "list of negatives, not the data"
            )
