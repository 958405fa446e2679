"""Attributes in RecBole's `.item` files."""

from pathlib import Path

import pandas as pd

from recsys.data.attributes.item_table import OPTION
from recsys.data.sources.atomic import read_atomic
from recsys.data.sources.delimited import require_columns


class AtomicItems:
    """One column of a `.item` file: a token, or several separated by spaces.

    column: its name, without the type. item: name of the id column. joined: the tokens are the words of one value.
    """

    patterns = ("*.item",)

    def __init__(self, *, column: str, item: str = "item_id", joined: bool = False) -> None:
        self.column = column
        self.joined = joined
        self.item = item

    def read(self, path: Path) -> pd.DataFrame:
        """Pairs. ValueError naming file and column where it is absent or holds numbers."""
        frame = read_atomic(path)
        require_columns(path, list(frame.columns), {"item": self.item, "column": self.column}, option=OPTION)
        values = frame[self.column].map(" ".join) if self.joined else frame[self.column]
        pairs = pd.DataFrame({"item": frame[self.item], "value": values}).explode("value").dropna()
        if any(isinstance(value, float) for value in pairs["value"]):
            raise ValueError(f"{path}: column {self.column!r} holds numbers; an attribute must be of type token")
        return pairs.loc[pairs["value"].astype(str) != ""].reset_index(drop=True)
