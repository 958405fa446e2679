"""Arrow columns -> columns of the interactions frame, and what makes a value of one faulty."""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported; type checkers can't see them.

import math
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ID_TYPE = pa.dictionary(pa.int32(), pa.string())  # text that repeats, each stored once
ID_ROLES = ("user", "item")
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")  # of all that ISO 8601 allows, what Arrow reads begins so


def interactions_frame(table: pa.Table, columns: Mapping[str, str]) -> pd.DataFrame:
    """Frame of the clean columns `{role: name in the table}`: ids as text or integers, numbers of any number type."""

    def values(role: str) -> np.ndarray | pd.Series:
        column = table[columns[role]]
        if role in ID_ROLES:
            return id_values(column)
        return column.to_numpy().astype(kind_of(role, column.type), copy=False)

    with ThreadPoolExecutor() as pool:
        return pd.DataFrame(dict(zip(columns, pool.map(values, columns), strict=True)), copy=False)


def kind_of(role: str, values: pa.DataType) -> type[np.number]:
    """What a column of such numbers or dates becomes in a frame."""
    return np.int64 if role in ID_ROLES or (role == "timestamp" and pa.types.is_integer(values)) else np.float64


def id_values(column: pa.ChunkedArray) -> np.ndarray | pd.Series:
    """Raw ids [N] of a column of text, of ID_TYPE or of integers: int64 where all are plain integers, else strings."""
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64()).to_numpy()
    if pa.types.is_dictionary(column.type):
        encoded = pa.concat_arrays(column.unify_dictionaries().chunks)
        integers = plain_integers(pa.chunked_array([encoded.dictionary]))
        return encoded.dictionary_decode().to_pandas() if integers is None else integers[encoded.indices.to_numpy()]
    integers = plain_integers(column)
    return column.to_pandas() if integers is None else integers


def plain_integers(texts: pa.ChunkedArray) -> np.ndarray | None:
    """The texts as int64, or None where one would not come back the same ("007", "1.0", "B00X")."""
    try:
        integers = texts.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    begins_with_zero = pc.or_(pc.starts_with(texts, "0"), pc.starts_with(texts, "-0"))  # "007", "-0", "0x1F"
    zeros = texts.filter(begins_with_zero)
    return integers.to_numpy() if pc.all(pc.equal(zeros, "0"), min_count=0).as_py() else None


def is_date(kind: pa.DataType) -> bool:
    """Whether the values name a day, with or without a time of it; a time alone does not."""
    return pa.types.is_timestamp(kind) or pa.types.is_date(kind)


def seconds(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dates as seconds since 1970, to the microsecond; UTC where they name no zone."""
    microseconds = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
    return pc.divide(microseconds.cast(pa.float64()), 1e6)


def is_clean(column: pa.ChunkedArray, *, is_id: bool) -> bool:
    """Whether no value is missing, no id (text) is empty, and every number is a finite one."""
    if column.null_count:
        return False
    if is_id and not pa.types.is_integer(column.type):
        return pc.min(pc.binary_length(column)).as_py() > 0
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
