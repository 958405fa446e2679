"""Arrow columns -> columns of the interactions frame, and what makes a value of one faulty."""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported; type checkers can't see them.

import math
import re
from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ID_TYPE = pa.dictionary(pa.int32(), pa.string())  # text, so that "007" and "7" stay two ids; each stored once
ID_ROLES = ("user", "item")
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")  # of all that ISO 8601 allows, what Arrow reads begins so


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


def is_date(kind: pa.DataType) -> bool:
    """Whether the values name a day, with or without a time of it; a time alone does not."""
    return pa.types.is_timestamp(kind) or pa.types.is_date(kind)


def seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates as seconds since 1970, to the microsecond; UTC where they name no zone."""
    microseconds = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return pc.divide(microseconds.cast(pa.float64()), 1e6)


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


class TimeFault:
    """What is wrong with a field that should be a time: all of a column are numbers, or all are ISO dates of one kind.

    The first field says which. A call remembers it, so a column is gone through with one of these, from its top.
    """

    def __init__(self) -> None:
        self.kind: str | None = None

    def __call__(self, text: str) -> str | None:
        kind = _kind_of_time(text)
        if kind is None:
            return f"value {text!r} is neither a number nor a date such as 2017-06-02 21:47:03"
        self.kind = self.kind or kind
        return None if kind == self.kind else f"value {text!r} is {kind} in a column that began with {self.kind}"


def _kind_of_time(text: str) -> str | None:
    if number_fault(text) is None:
        return "a number"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not ISO_DATE.match(text):
        return None
    return "a date without a zone" if moment.tzinfo is None else "a date with a zone"


def encoding_fault(text: str) -> str | None:
    """What is wrong with the bytes of a field: `open_text` makes surrogates of those that aren't UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"value {text!r} is not UTF-8 text"
    return None
