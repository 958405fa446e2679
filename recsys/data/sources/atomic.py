"""RecBole's atomic files: tab-separated text whose header gives each column a type, `user_id:token`.

Types are `token` (an id or a category), `float`, `token_seq` and `float_seq` (space-separated, any length).
Format: https://recbole.io/docs/user_guide/data/atomic_files.html
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys.data.sources.atomic_fields import fault_of, kinds_of
from recsys.data.sources.columns import ID_TYPE, id_values
from recsys.data.sources.delimited import (
    DelimitedText,
    raise_first_fault,
    read_arrow,
    read_header,
    read_interactions,
)

_MAY_BE_ABSENT = ("rating", "timestamp")  # RecBole's own names of columns that many .inter files lack


class AtomicFile:
    """Interactions of a `.inter` file.

    user, item: names of the id columns, without the type.
    rating, timestamp: names of those columns; under RecBole's own names (the defaults) they may be absent.
    """

    patterns = ("*.inter",)

    def __init__(
        self,
        *,
        user: str = "user_id",
        item: str = "item_id",
        rating: str = "rating",
        timestamp: str = "timestamp",
    ) -> None:
        self.columns = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}

    def read(self, path: Path) -> pd.DataFrame:
        """Interactions frame. Raises ValueError naming file, line and column."""
        text, _ = _layout(path)
        absent = set(_MAY_BE_ABSENT).difference(text.names)
        columns = {role: name for role, name in self.columns.items() if name not in absent}
        return read_interactions(text, columns)


def read_atomic(path: Path) -> pd.DataFrame:
    """Every column of an atomic file (`.inter`, `.item`, `.user`), under its name without the type.

    token: int64 where every value is a plain integer, else strings; one of `user_id` and `item_id` is never empty.
    float: float64, NaN where empty.
    token_seq: a list of strings per row. float_seq: a float64 array per row. Empty where the field is.
    Raises ValueError naming file, line and column.
    """
    text, types = _layout(path)
    faults = {name: fault_of(name, kind) for name, kind in types.items()}
    table = read_arrow(text, dict.fromkeys(text.names, ID_TYPE), faults)
    if any(fault(value) for name, fault in faults.items() for value in table[name].unique().to_pylist()):
        raise_first_fault(text, faults, reason="a value is faulty")
    return pd.DataFrame({name: _CONVERT[types[name]](table[name]) for name in text.names})


def _layout(path: Path) -> tuple[DelimitedText, dict[str, str]]:
    """The file's layout and the type of each column."""
    types = kinds_of(path, read_header(path, "\t"))
    return DelimitedText(path, "\t", list(types), has_header=True, quoted=False), types


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return np.array([float(value) if value else np.nan for value in column.to_pylist()])


def _token_lists(column: pa.ChunkedArray) -> list[list[str]]:
    return [value.split() for value in column.to_pylist()]


def _float_arrays(column: pa.ChunkedArray) -> list[np.ndarray]:
    return [np.array(value.split(), dtype=np.float64) for value in column.to_pylist()]


_CONVERT = {"token": id_values, "float": _floats, "token_seq": _token_lists, "float_seq": _float_arrays}
