"""Attributes in a table of pairs, `item<TAB>genre`."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from recsys.data.sources.columns import ID_TYPE, id_fault, id_values
from recsys.data.sources.delimited import (
    DELIMITERS,
    DelimitedText,
    ending,
    raise_first_fault,
    read_arrow,
    read_header,
    require_columns,
)

OPTION = "{role}=NAME of this reader, below data.attributes or data.titles"


class ItemTable:
    """Two columns of a `.tsv` or `.csv` file with a header, optionally gzipped: a row per pair.

    item, value: names of the columns. separator: what separates several values in one field; None: there is one.
    patterns: names by which the file is found beside the data, the first match wins.
    """

    def __init__(
        self, *, value: str, item: str = "item", separator: str | None = None, patterns: Sequence[str] | None = None
    ) -> None:
        self.columns = {"item": item, "value": value}
        self.separator = separator
        self.patterns = tuple(patterns or (f"{value}s.tsv", f"{value}s.csv"))

    def read(self, path: Path) -> pd.DataFrame:
        """Pairs; an empty field is no attribute. ValueError naming file, line and column."""
        suffix = ending(path)
        if suffix not in DELIMITERS:
            raise ValueError(f"{path}: a table of attributes must end in .tsv or .csv, got {suffix!r}; rename it")
        delimiter = DELIMITERS[suffix]
        text = DelimitedText(path, delimiter, read_header(path, delimiter), has_header=True, quoted=True)
        require_columns(path, text.names, self.columns, option=OPTION)
        faults = {self.columns["item"]: id_fault, self.columns["value"]: _no_fault}
        table = read_arrow(text, dict.fromkeys(faults, ID_TYPE), faults)
        frame = pd.DataFrame({role: id_values(table[name]) for role, name in self.columns.items()})
        if "" in frame["item"].astype(str).unique():
            raise_first_fault(text, faults, reason="an id is empty")
        if self.separator is not None:
            values = frame["value"].astype(str).str.split(self.separator, regex=False)
            frame = frame.assign(value=values).explode("value")
        return frame.loc[frame["value"].astype(str) != ""].reset_index(drop=True)


def _no_fault(_: str) -> None:
    return None
