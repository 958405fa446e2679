"""Fixed evaluation negatives: drawn once from a seed or read from a file, the same for all models and epochs."""

import warnings
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Protocol

import numpy as np

from recsys.data.array_folder import load_arrays, save_arrays
from recsys.data.catalogue import Catalogue
from recsys.data.fingerprints import file_fingerprint, fingerprint
from recsys.data.locations import cache_root
from recsys.data.ragged import Ragged
from recsys.data.sources import SequenceText


class Reject(Enum):
    """Which of a user's items can't be negatives; the value says it in a line."""

    HISTORY = "outside the user's whole history"
    TRAIN = "outside the user's training items"


class NegativeSource(Protocol):
    """Where a user's negatives come from."""

    def negatives(self, catalogue: Catalogue) -> Ragged:
        """A row of items per user index; empty where a user has none. ValueError where they can't be had."""
        ...

    def describe(self) -> str:
        """One line."""
        ...


class _Drawn:
    """Negatives drawn without replacement, item i with a chance proportional to its weight.

    An item's key is an exponential variable over its weight and the `count` smallest keys win, which is drawing one
    by one without replacement (Efraimidis and Spirakis, IPL 2006). A user's draw depends on the seed, the user and
    what is rejected, on no other user. They are kept beside the data cache.

    count: per user. seed: of the draw, not that of training. reject: which of the user's own items are left out.
    cache_dir: None is `negatives` in $RECSYS_CACHE or ~/.cache/recsys.
    """

    def __init__(
        self, *, count: int = 100, seed: int = 0, reject: Reject = Reject.HISTORY, cache_dir: str | None = None
    ) -> None:
        if count < 1:
            raise ValueError(f"count ({count}) must be at least 1; set eval.protocol.negatives.count=100")
        self.count = count
        self.seed = seed
        self.reject = reject
        self.cache_dir = cache_root() / "negatives" if cache_dir is None else Path(cache_dir).expanduser()

    def weights(self, catalogue: Catalogue) -> np.ndarray:
        """Of each item, [V]; 0 where it is never drawn."""
        raise NotImplementedError

    def negatives(self, catalogue: Catalogue) -> Ragged:
        """The best from the cache. ValueError naming the first user for whom too few items are left."""
        rejected = {Reject.HISTORY: catalogue.whole, Reject.TRAIN: catalogue.train}[self.reject]
        weights = self.weights(catalogue)
        folder = self.cache_dir / self._key(weights, rejected)[:16]
        with suppress(OSError, ValueError):  # never drawn, or damaged
            return _rows(load_arrays(folder)[0]["items"])
        items = self._draw(weights, rejected, catalogue)
        try:
            save_arrays(folder, {"items": items}, {"count": self.count, "seed": self.seed, "reject": self.reject.name})
        except OSError as error:
            warnings.warn(f"not cached: {error}; point RECSYS_CACHE to a writable folder", stacklevel=2)
        return _rows(items)

    def _draw(self, weights: np.ndarray, rejected: Ragged, catalogue: Catalogue) -> np.ndarray:
        items = np.empty((rejected.num_rows, self.count), dtype=np.int64)
        available = weights > 0
        divisor = np.where(available, weights, 1)
        for user in range(rejected.num_rows):
            keys = np.random.default_rng((self.seed, user)).standard_exponential(len(weights)) / divisor
            keys[~available] = np.inf
            keys[rejected.row(user)] = np.inf
            left = int(np.isfinite(keys).sum())
            if left < self.count:
                raise ValueError(
                    f"user {catalogue.user_name(user)} has {left} item(s) left to draw {self.count} negatives from; "
                    f"set eval.protocol.negatives.count={left} or less"
                )
            best = np.argpartition(keys, self.count - 1)[: self.count]
            items[user] = best[np.argsort(keys[best])]
        return items

    def _key(self, weights: np.ndarray, rejected: Ragged) -> str:
        facts = np.array([self.count, self.seed])
        arrays = {"weights": weights, "rejected": rejected.flat(), "lengths": rejected.lengths, "facts": facts}
        return fingerprint(arrays)


class UniformNegatives(_Drawn):
    """Every item that is not rejected with the same chance, as S3-Rec's (Zhou et al., CIKM 2020) were drawn."""

    def weights(self, catalogue: Catalogue) -> np.ndarray:
        return np.ones(catalogue.num_items)

    def describe(self) -> str:
        return f"{self.count} uniform negatives {self.reject.value} (seed {self.seed})"


class PopularityNegatives(_Drawn):
    """By training count, as BERT4Rec (Sun et al., CIKM 2019) is evaluated; what nobody trained on is never drawn."""

    def weights(self, catalogue: Catalogue) -> np.ndarray:
        return catalogue.counts.astype(np.float64)

    def describe(self) -> str:
        return f"{self.count} negatives by popularity {self.reject.value} (seed {self.seed})"


class NegativesFile:
    """Lines of `user negative negative ...` in raw ids, gzipped or not, as S3-Rec's authors publish theirs.

    path: the file.
    """

    def __init__(self, *, path: str) -> None:
        self.path = Path(path).expanduser()

    def describe(self) -> str:
        return f"negatives of {self.path.name} ({file_fingerprint(self.path)[:8]})"

    def negatives(self, catalogue: Catalogue) -> Ragged:
        """Raises ValueError naming the first user or item that the data has not."""
        if not self.path.is_file():
            raise FileNotFoundError(
                f"eval.protocol.negatives.path ({self.path}) is no file; give the list of negatives"
            )
        frame = SequenceText().read(self.path)
        users = catalogue.find_users(frame["user"], place=self.path)
        items = catalogue.find_items(frame["item"], place=self.path)
        order = np.argsort(users, kind="stable")
        return Ragged.from_lengths(items[order], np.bincount(users, minlength=catalogue.num_users))


def _rows(items: np.ndarray) -> Ragged:
    """Rows of a matrix."""
    return Ragged.from_lengths(items.reshape(-1), np.full(len(items), items.shape[1]))
