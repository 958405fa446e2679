"""A data set by its recipe: where it is, how it is read and filtered, and the cache of the result."""

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from recsys.cache import cache_root
from recsys.data.attributes import AttributeFile, ItemAttributes
from recsys.data.card import DataCard
from recsys.data.fingerprints import file_fingerprint
from recsys.data.interactions import filter_interactions
from recsys.data.locations import Location, locate
from recsys.data.sequences import UserSequences
from recsys.data.sources import READERS, Reader, detect

_FORMAT = 1  # of the cache; raise it when what is built from the same source and options changes
_HASHED_BYTES = 64 * 2**20  # files up to this size are known by their content, larger ones by place, size and time


class InteractionDataset:
    """Interactions of one data set, as sequences.

    name: what it is called in folders and reports.
    reader: how its file is read; None picks one by the file's name.
    locations: where to look for it, the first that has it wins.
    path: the user's own file or folder; looked at before the locations.
    min_rating: keep interactions rated at least this much; None keeps all.
    min_user_items, min_item_users: k-core, see `k_core`; 0 keeps all.
    max_users: keep the first so many users only, for a quick look; None keeps all.
    attributes: the items' attributes by name, read by those who ask for them; None for a name: do without.
    titles: what items are called, for lists that people read; None: not known.
    card: licence and citation; None: the user's own data.
    cache_dir: where built sequences are kept; None is `sequences` in $RECSYS_CACHE or ~/.cache/recsys.
    """

    def __init__(
        self,
        *,
        name: str,
        reader: Reader | None = None,
        locations: Sequence[Location] = (),
        path: str | Path | None = None,
        min_rating: float | None = None,
        min_user_items: int = 0,
        min_item_users: int = 0,
        max_users: int | None = None,
        attributes: Mapping[str, AttributeFile | None] | None = None,
        titles: AttributeFile | None = None,
        card: DataCard | None = None,
        cache_dir: str | Path | None = None,
    ) -> None:
        self.name = name
        self.readers = READERS if reader is None else (reader,)
        self.locations = tuple(locations)
        self.path = path
        self.filters = {
            "min_rating": min_rating,
            "min_user_items": min_user_items,
            "min_item_users": min_item_users,
            "max_users": max_users,
        }
        self.attribute_files = {name: file for name, file in (attributes or {}).items() if file is not None}
        self.titles = titles
        self.card = card
        self.cache_dir = cache_root() / "sequences" if cache_dir is None else Path(cache_dir).expanduser()

    def sequences(self) -> UserSequences:
        """The sequences, from the cache where source and options are those it was built from.

        Raises FileNotFoundError where the data isn't found, ValueError where it is malformed or where the
        filters leave nothing.
        """
        reader, file = self._source()
        folder = self.cache_dir / f"{self.name}-{self._key(reader, file)[:16]}"
        with suppress(OSError, ValueError):  # never built, or damaged
            return UserSequences.load(folder)
        built = UserSequences.from_frame(filter_interactions(reader.read(file), **self.filters), name=self.name)
        try:
            built.save(folder)
        except OSError as error:
            warnings.warn(f"not cached: {error}; point RECSYS_CACHE to a writable folder", stacklevel=2)
        return built

    def attributes(self, sequences: UserSequences) -> tuple[ItemAttributes, ...]:
        """The attributes of the items of `sequences`, which this has made.

        Raises FileNotFoundError where a file isn't found, ValueError where it is malformed or of other items.
        """
        if not self.attribute_files:
            return ()
        _, data_file = self._source()
        return tuple(
            file.read(name, data_file=data_file, items=sequences.vocabulary)
            for name, file in self.attribute_files.items()
        )

    def titles_of(self, sequences: UserSequences) -> np.ndarray:
        """What each item is called, [V] text, empty where it has no title.

        Raises FileNotFoundError where there is no file of titles, ValueError where it is malformed or of other items.
        """
        if self.titles is None:
            raise ValueError(f"the data set {self.name} has no titles (data.titles is null); leave out titles=true")
        _, data_file = self._source()
        kind = self.titles.read("title", data_file=data_file, items=sequences.vocabulary, key="data.titles")
        names = kind.vocabulary.ids.astype(str)
        return np.array([" / ".join(names[kind.rows.row(item)]) for item in range(sequences.num_items)])

    def _source(self) -> tuple[Reader, Path]:
        expected = [pattern for reader in self.readers for pattern in reader.patterns]
        place = locate(self.locations, self.path, name=self.name, expected=expected)
        if len(self.readers) == 1 and place.is_file():
            return self.readers[0], place  # told how to read which file: its name doesn't matter
        return detect(place, self.readers)

    def _key(self, reader: Reader, file: Path) -> str:
        kind = f"{type(reader).__module__}.{type(reader).__qualname__}"
        parts = [_FORMAT, kind, sorted(vars(reader).items()), self.filters, file.name, _identity(file)]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def _identity(file: Path) -> str:
    """What changes when the file does."""
    status = file.stat()
    if status.st_size <= _HASHED_BYTES:
        return file_fingerprint(file)
    return f"{file.resolve()} {status.st_size} {status.st_mtime_ns}"
