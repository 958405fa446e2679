"""Where an attribute's file is, and in which ids it speaks."""

from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

import pandas as pd

from recsys.data.attributes.item_attributes import ItemAttributes
from recsys.data.interactions import Vocabulary
from recsys.data.sources.delimited import open_text
from recsys.data.sources.detection import find_file


class AttributeReader(Protocol):
    """What reads one format."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """File names it recognises, relative to a folder; the first match wins."""
        ...

    def read(self, path: Path) -> pd.DataFrame:
        """One row per pair, columns `item` and `value`."""
        ...


class AttributeFile:
    """One kind of attribute: its file and how to read it.

    reader: the format. path: the file; None looks beside the data's own file.
    ids: where the data's file has a name like one of these patterns, its item ids are its own, and the file beside it
    that the pattern stands for says on each line `id-in-the-data id-in-the-attributes`.
    """

    def __init__(
        self, *, reader: AttributeReader, path: str | Path | None = None, ids: Mapping[str, str] | None = None
    ) -> None:
        self.reader = reader
        self.path = path
        self.ids = dict(ids or {})

    def read(self, name: str, *, data_file: Path, items: Vocabulary, key: str | None = None) -> ItemAttributes:
        """The attribute `name` of the data's items. FileNotFoundError where there is no file of it.

        key: of the config, for what is said where something is wrong; None: that of an attribute of this name.
        """
        key = key or f"data.attributes.{name}"
        pairs = self.reader.read(self._find(name, data_file, key))
        for pattern, translation in self.ids.items():
            if fnmatch(data_file.name, pattern):
                pairs = _translated(pairs, data_file.parent / translation)
        return ItemAttributes.from_pairs(pairs, name=name, items=items, key=key)

    def _find(self, name: str, data_file: Path, key: str) -> Path:
        place = data_file.parent if self.path is None else Path(self.path).expanduser()
        file = place if place.is_file() else find_file(place, self.reader)
        if file is None or not file.exists():
            raise FileNotFoundError(
                f"attribute {name}: there is no {' or '.join(self.reader.patterns)} in {place}; say where it is with "
                f"{key}.path=FILE, or do without: {key}=null"
            )
        return file


def _translated(pairs: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The pairs under the data's own ids; those of items that `path` does not name are left out."""
    if not path.exists():
        raise FileNotFoundError(f"{path}, which translates the data's item ids, does not exist; put it there")
    with open_text(path) as lines:
        rows = [line.split() for line in lines if line.strip()]
    for number, row in enumerate(rows, start=1):
        if len(row) != 2:
            raise ValueError(f"{path}, entry {number}: expected 2 ids, found {len(row)}; fix the line")
    names = pd.DataFrame(rows, columns=["own", "item"])
    joined = pairs.astype({"item": str}).merge(names, on="item")
    return pd.DataFrame({"item": joined["own"], "value": joined["value"]})
