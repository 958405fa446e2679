"""Attributes in RecBole's `.item` files."""

from pathlib import Path

import numpy as np
import pandas as pd

from recsys.data.attributes.item_table import OPTION
from recsys.data.sources.atomic import read_atomic
from recsys.data.sources.delimited import require_columns

EXACT = 2**53  # up to here a float tells whole numbers apart


class AtomicItems:
    """One column of a `.item` file: a token or a number, or several separated by spaces.

    A number is an attribute where all of them are whole (1995, 1995.0): a year or a code, no amount.
    column: its name, without the type. item: name of the id column. joined: the tokens are the words of one value.
    """

    patterns = ("*.item",)

    def __init__(self, *, column: str, item: str = "item_id", joined: bool = False) -> None:
        self.column = column
        self.joined = joined
        self.item = item

    def read(self, path: Path) -> pd.DataFrame:
        """Pairs. ValueError naming file and column where it is absent or holds a number that is not whole."""
        frame = read_atomic(path)
        require_columns(path, list(frame.columns), {"item": self.item, "column": self.column}, option=OPTION)
        values = frame[self.column].map(" ".join) if self.joined else frame[self.column]
        pairs = pd.DataFrame({"item": frame[self.item], "value": values}).explode("value").dropna()
        if any(isinstance(value, float) for value in pairs["value"]):
            pairs["value"] = self._whole(pairs["value"].to_numpy(np.float64), path)
        return pairs.loc[pairs["value"].astype(str) != ""].reset_index(drop=True)

    def _whole(self, numbers: np.ndarray, path: Path) -> np.ndarray:
        broken = numbers[(numbers % 1 != 0) | (np.abs(numbers) > EXACT)]
        if len(broken):
            raise ValueError(
                f"{path}: column {self.column!r} holds {broken[0]:g}; numbers must be whole to be attributes, so "
                "round them, or give the column the type token"
            )
        return numbers.astype(np.int64)
