"""What a data set looks like: sizes, lengths, popularity, repeats and ties."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recsys.data.audit import num_pairs
from recsys.data.sequences import UserSequences

# Timestamps between these are taken for seconds since 1970; counters and milliseconds lie outside.
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1980, 2100))
QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)


@dataclass(frozen=True, kw_only=True)
class Description:
    """Facts of a data set, before any split.

    density: share of the pairs of user and item that occur. lengths, popularity: quantile -> items of a user, users'
    interactions with an item. repeats: interactions with an item that the user had before. ties: interactions with the
    timestamp of the one before it in the same row; None without timestamps. first, last: timestamps.
    """

    num_users: int
    num_items: int
    num_interactions: int
    density: float
    lengths: dict[float, float]
    popularity: dict[float, float]
    repeats: int
    ties: int | None
    first: float | None
    last: float | None
    fingerprint: str

    @classmethod
    def of(cls, sequences: UserSequences) -> "Description":
        """Of these sequences."""
        pairs, rows = num_pairs(sequences), sequences.items
        times = sequences.timestamps
        counts = np.bincount(rows.flat(), minlength=sequences.num_items)
        return cls(
            num_users=sequences.num_users,
            num_items=sequences.num_items,
            num_interactions=sequences.num_interactions,
            density=pairs / (sequences.num_users * sequences.num_items),
            lengths=_quantiles(rows.lengths),
            popularity=_quantiles(counts),
            repeats=sequences.num_interactions - pairs,
            ties=None if times is None else int(((np.diff(times) == 0) & (np.diff(rows.row_ids()) == 0)).sum()),
            first=None if times is None else float(times.min()),
            last=None if times is None else float(times.max()),
            fingerprint=sequences.fingerprint,
        )

    @property
    def mean_length(self) -> float:
        """Items of a user."""
        return self.num_interactions / self.num_users

    @property
    def mean_popularity(self) -> float:
        """Interactions with an item."""
        return self.num_interactions / self.num_items

    def dates(self) -> tuple[datetime, datetime] | None:
        """First and last time, where both could be seconds since 1970; None where they can't, or there are none."""
        if self.first is None or self.last is None or not EARLIEST <= self.first <= self.last < LATEST:
            return None
        return datetime.fromtimestamp(self.first, UTC), datetime.fromtimestamp(self.last, UTC)


def _quantiles(values: np.ndarray) -> dict[float, float]:
    return {quantile: float(np.quantile(values, quantile)) for quantile in QUANTILES}
