"""Evaluation negatives: drawn once from a seed, the same for all models and epochs, or anew each time."""

import warnings
from collections.abc import Iterable
from contextlib import suppress
from enum import Enum
from itertools import repeat
from pathlib import Path
from typing import Protocol

import numpy as np

from recsys.cache import cache_root
from recsys.data.array_folder import load_arrays, save_arrays
from recsys.data.catalogue import Catalogue
from recsys.data.fingerprints import fingerprint
from recsys.data.ragged import Ragged


class Reject(Enum):
    """Which of a user's items can't be negatives; the value says it in a line."""

    HISTORY = "outside the user's whole history"
    TRAIN = "outside the user's training items"


class NegativeRows(Protocol):
    """The negatives of every user."""

    def take(self, rows: np.ndarray) -> Ragged:
        """A row of items per given user index; empty where a user has none."""
        ...


class NegativeSource(Protocol):
    """Where a user's negatives come from."""

    def negatives(self, catalogue: Catalogue) -> NegativeRows:
        """Those of all users of the catalogue. ValueError where they can't be had."""
        ...

    def describe(self) -> str:
        """One line."""
        ...


class _Drawn:
    """Negatives drawn with a chance proportional to each item's weight.

    A user's draw depends on the seed, the user and what is rejected, on no other user. They are kept beside the data
    cache.

    count: per user. seed: of the draw, not that of training. reject: which of the user's own items are left out.
    replacement: whether one item may be several of a user's negatives, and then counts as often.
    fresh: drawn anew in each evaluation, from one stream that begins at the seed: two evaluations of a run differ, the
    first ones of two runs do not. Nothing is kept, and a run that continues begins the stream again.
    cache_dir: None is `negatives` in $RECSYS_CACHE or ~/.cache/recsys.
    """

    def __init__(
        self,
        *,
        count: int = 100,
        seed: int = 0,
        reject: Reject = Reject.HISTORY,
        replacement: bool = False,
        fresh: bool = False,
        cache_dir: str | None = None,
    ) -> None:
        if count < 1:
            raise ValueError(f"count ({count}) must be at least 1; set eval.protocol.negatives.count=100")
        self.count = count
        self.seed = seed
        self.reject = reject
        self.draw = _repeated if replacement else _distinct
        self.replacement = replacement
        self.fresh = fresh
        self.cache_dir = cache_root() / "negatives" if cache_dir is None else Path(cache_dir).expanduser()

    def weights(self, catalogue: Catalogue) -> np.ndarray:
        """Of each item, [V]; 0 where it is never drawn."""
        raise NotImplementedError

    def negatives(self, catalogue: Catalogue) -> NegativeRows:
        """From the cache where they are there. ValueError naming the first user for whom too few items are left."""
        rejected = {Reject.HISTORY: catalogue.whole, Reject.TRAIN: catalogue.train}[self.reject]
        weights = self.weights(catalogue)
        if self.fresh:
            return _FreshRows(self, weights, rejected, catalogue)
        folder = self.cache_dir / self._key(weights, rejected)[:16]
        with suppress(OSError, ValueError):  # never drawn, or damaged
            return _rows(load_arrays(folder)[0]["items"])
        users = np.arange(rejected.num_rows)
        streams = (np.random.default_rng((self.seed, user)) for user in range(rejected.num_rows))
        items = self.drawn(users, streams, weights, rejected, catalogue)
        try:
            facts = {"count": self.count, "seed": self.seed, "reject": self.reject.name}
            save_arrays(folder, {"items": items}, lambda: facts)
        except OSError as error:
            warnings.warn(f"not cached: {error}; point RECSYS_CACHE to a writable folder", stacklevel=2)
        return _rows(items)

    def drawn(
        self,
        users: np.ndarray,
        streams: Iterable[np.random.Generator],
        weights: np.ndarray,
        rejected: Ragged,
        catalogue: Catalogue,
    ) -> np.ndarray:
        """Items [R, count] of R users, each from a stream of its own."""
        items = np.empty((len(users), self.count), dtype=np.int64)
        for row, (user, random) in enumerate(zip(users.tolist(), streams, strict=False)):
            own = weights.copy()
            own[rejected.row(user)] = 0
            left = int(np.count_nonzero(own))
            if left < (1 if self.replacement else self.count):
                raise ValueError(
                    f"user {catalogue.user_name(user)} has {left} item(s) left to draw {self.count} negatives from; "
                    f"set eval.protocol.negatives.count={left} or less"
                )
            items[row] = self.draw(own, self.count, random)
        return items

    def how(self) -> str:
        """The options, in words."""
        words = [self.reject.value, "with replacement" if self.replacement else "", "anew each time" * self.fresh]
        return f"{', '.join(filter(None, words))} (seed {self.seed})"

    def _key(self, weights: np.ndarray, rejected: Ragged) -> str:
        facts = np.array([self.count, self.seed, self.replacement])
        arrays = {"weights": weights, "rejected": rejected.flat(), "lengths": rejected.lengths, "facts": facts}
        return fingerprint(arrays)


class UniformNegatives(_Drawn):
    """Every item that is not rejected with the same chance, as S3-Rec's (Zhou et al., CIKM 2020) were drawn."""

    def weights(self, catalogue: Catalogue) -> np.ndarray:
        return np.ones(catalogue.num_items)

    def describe(self) -> str:
        return f"{self.count} uniform negatives {self.how()}"


class PopularityNegatives(_Drawn):
    """By training count, as BERT4Rec (Sun et al., CIKM 2019) is evaluated; what nobody trained on is never drawn."""

    def weights(self, catalogue: Catalogue) -> np.ndarray:
        return catalogue.counts.astype(np.float64)

    def describe(self) -> str:
        return f"{self.count} negatives by popularity {self.how()}"


class _FreshRows:
    """Draws whenever it is asked."""

    def __init__(self, source: _Drawn, weights: np.ndarray, rejected: Ragged, catalogue: Catalogue) -> None:
        self.source = source
        self.stream = np.random.default_rng(source.seed)
        self.facts = (weights, rejected, catalogue)

    def take(self, rows: np.ndarray) -> Ragged:
        return _rows(self.source.drawn(rows, repeat(self.stream), *self.facts))


def _distinct(weights: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """One by one without replacement, [count].

    An item's key is an exponential variable over its weight; the smallest win (Efraimidis and Spirakis, IPL 2006).
    """
    available = weights > 0
    keys = random.standard_exponential(len(weights)) / np.where(available, weights, 1)
    keys[~available] = np.inf
    best = np.argpartition(keys, count - 1)[:count]
    return best[np.argsort(keys[best])]


def _repeated(weights: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """With replacement, [count]."""
    shares = weights.cumsum()
    return np.searchsorted(shares, random.random(count) * shares[-1], side="right")


def _rows(items: np.ndarray) -> Ragged:
    """Rows of a matrix."""
    return Ragged.from_lengths(items.reshape(-1), np.full(len(items), items.shape[1]))
