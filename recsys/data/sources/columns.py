"""Arrow columns -> columns of the interactions frame, and what makes a value of one faulty."""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported; type checkers can't see them.

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ID_TYPE = pa.dictionary(pa.int32(), pa.string())  # text, so that "007" and "7" stay two ids; each stored once
ID_ROLES = ("user", "item")


def interactions_frame(table: pa.Table, columns: Mapping[str, str]) -> pd.DataFrame:
    """Frame of the clean columns `{role: name in the table}`: ids of ID_TYPE, numbers of any number type."""
    frame = {}
    for role, name in columns.items():
        if role in ID_ROLES:
            frame[role] = id_values(table[name])
        else:
            frame[role] = _number_values(table[name], keep_whole=role == "timestamp")
    return pd.DataFrame(frame)


def id_values(column: pa.ChunkedArray) -> np.ndarray | pd.Series:
    """Raw ids [N] of a column of ID_TYPE: int64 where all are plain integers, else strings."""
    encoded = pa.concat_arrays(column.unify_dictionaries().chunks)
    integers = plain_integers(encoded.dictionary)
    if integers is None:
        return encoded.dictionary_decode().to_pandas()
    return integers[encoded.indices.to_numpy()]


def plain_integers(texts: pa.Array) -> np.ndarray | None:
    """The texts as int64, or None where one would not come back the same ("007", "1.0", "B00X")."""
    try:
        integers = texts.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    return integers.to_numpy() if integers.cast(texts.type).equals(texts) else None


def _number_values(column: pa.ChunkedArray, *, keep_whole: bool) -> np.ndarray:
    whole = keep_whole and pa.types.is_integer(column.type)
    return column.to_numpy().astype(np.int64 if whole else np.float64, copy=False)


def is_clean(column: pa.ChunkedArray, *, is_id: bool) -> bool:
    """Whether no value is missing, no id (of ID_TYPE) is empty, and every number is a finite one."""
    if column.null_count:
        return False
    if is_id:
        return not any("" in chunk.dictionary.to_pylist() for chunk in column.chunks)
    is_numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    return is_numeric and pc.all(pc.is_finite(column)).as_py()


def id_fault(text: str) -> str | None:
    """What is wrong with a field that should be an id; None where nothing is."""
    return None if text else "the id is empty"


def number_fault(text: str) -> str | None:
    """What is wrong with a field that should be a finite number; None where nothing is."""
    try:
        valid = math.isfinite(float(text)) and text.isascii() and "_" not in text  # float() takes "1_000"
    except ValueError:
        valid = False
    return None if valid else f"value {text!r} is not a number"


def encoding_fault(text: str) -> str | None:
    """What is wrong with the bytes of a field: `open_text` makes surrogates of those that aren't UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"value {text!r} is not UTF-8 text"
    return None
