"""The form in which data lives: each user's items in order of time, on disk as memory-mapped arrays."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from recsys.data.array_folder import load_arrays, save_arrays
from recsys.data.fingerprints import fingerprint
from recsys.data.interactions import Vocabulary, check_interactions
from recsys.data.order import by_user_and_time
from recsys.data.ragged import Ragged


@dataclass(frozen=True, kw_only=True)
class UserSequences:
    """One row of items per user, oldest first. N interactions, U users, V items.

    items: U rows laid end to end; values [N] int32, item indices 0..V-1.
    timestamps, ratings: [N], aligned to `items.values`; None where the source has none.
    users, vocabulary: raw ids of the rows and of the items.
    known_fingerprint: `fingerprint`, where it is known already; who replaces anything else replaces it too.
    """

    name: str
    items: Ragged
    timestamps: np.ndarray | None
    ratings: np.ndarray | None
    users: Vocabulary
    vocabulary: Vocabulary
    known_fingerprint: str | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of items, timestamps, ratings, users and vocabulary, the same on any machine."""
        return self.known_fingerprint or fingerprint(self._arrays())

    @property
    def num_users(self) -> int:
        return len(self.users)

    @property
    def num_items(self) -> int:
        return len(self.vocabulary)

    @property
    def num_interactions(self) -> int:
        return len(self.items.values)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, name: str) -> "UserSequences":
        """Group an interactions frame by user; ties in time keep the order of the rows."""
        check_interactions(frame)
        with ThreadPoolExecutor() as pool:  # pandas and numpy work outside the interpreter's lock
            (users, rows), (vocabulary, items) = pool.map(Vocabulary.encoded, (frame["user"], frame["item"]))
        columns = {"items": items}
        columns |= {f"{name}s": frame[name].to_numpy() for name in ("timestamp", "rating") if name in frame}
        del frame  # raw ids take more memory than anything that follows
        arrays, offsets = by_user_and_time(columns, rows, num_users=len(users), time="timestamps")
        arrays |= {"offsets": offsets, "users": users.ids, "vocabulary": vocabulary.ids}
        return cls._from_arrays(arrays, name=name)

    def save(self, directory: Path) -> None:
        """Write a folder of .npy files and meta.json; a reader sees the old or the new one, never a part."""
        with ThreadPoolExecutor() as pool:  # hashing takes longer than writing
            known = pool.submit(lambda: self.fingerprint)
            save_arrays(directory, self._arrays(), lambda: {"name": self.name, "fingerprint": known.result()})

    @classmethod
    def load(cls, directory: Path) -> "UserSequences":
        """Read what `save` wrote, memory-mapped.

        Raises FileNotFoundError where there is no such folder, and ValueError where it is incomplete.
        """
        arrays, facts = load_arrays(directory)
        return cls._from_arrays(arrays, **facts)

    @classmethod
    def _from_arrays(
        cls, arrays: Mapping[str, np.ndarray], *, name: str, fingerprint: str | None = None
    ) -> "UserSequences":
        return cls(
            name=name,
            items=Ragged.from_lengths(arrays["items"], np.diff(arrays["offsets"]))._replace(
                timestamps=arrays.get("timestamps")
            ),
            timestamps=arrays.get("timestamps"),
            ratings=arrays.get("ratings"),
            users=Vocabulary(arrays["users"]),
            vocabulary=Vocabulary(arrays["vocabulary"]),
            known_fingerprint=fingerprint,
        )

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {
            "items": self.items.values,
            "offsets": np.append(0, np.cumsum(self.items.lengths)),
            "users": self.users.ids,
            "vocabulary": self.vocabulary.ids,
            "timestamps": self.timestamps,
            "ratings": self.ratings,
        }
        return {name: array for name, array in arrays.items() if array is not None}
