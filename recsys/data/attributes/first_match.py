"""The same attribute in several formats, for a data set that is published in several."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from recsys.data.attributes.attribute_file import AttributeReader


class FirstMatch:
    """The first of the readers that knows the file by its name; a file of any other name is the last one's."""

    def __init__(self, *, readers: Sequence[AttributeReader]) -> None:
        if not readers:
            raise ValueError("readers ([]) must name at least one reader")
        self.readers = tuple(readers)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Of all readers, the first one's first."""
        return tuple(pattern for reader in self.readers for pattern in reader.patterns)

    def read(self, path: Path) -> pd.DataFrame:
        """Pairs. ValueError naming the place where the file is malformed."""
        knowing = (reader for reader in self.readers if any(path.match(pattern) for pattern in reader.patterns))
        return next(knowing, self.readers[-1]).read(path)
