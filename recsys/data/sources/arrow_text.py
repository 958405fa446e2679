"""Delimited text as Arrow reads it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyarrow import csv

_BLOCK_BYTES = 2**23  # read at a time: Arrow's own megabyte takes a third longer


class DelimitedText(NamedTuple):
    """A text file of rows and columns. Gzipped where the name ends in `.gz`; UTF-8."""

    path: Path
    delimiter: str  # one character, or the same one repeated ("::")
    names: Sequence[str]  # of all columns, in file order
    has_header: bool
    quoted: bool  # whether "..." may enclose a field


def arrow_table(text: DelimitedText, types: Mapping[str, pa.DataType], columns: Iterable[str]) -> pa.Table:
    """The columns; types not given are inferred. Raises pa.ArrowInvalid or OSError where that fails."""
    names, gaps = _arrow_names(text)
    return csv.read_csv(
        text.path,
        read_options=csv.ReadOptions(column_names=names, skip_rows=int(text.has_header), block_size=_BLOCK_BYTES),
        parse_options=csv.ParseOptions(delimiter=text.delimiter[0], quote_char='"' if text.quoted else False),
        convert_options=csv.ConvertOptions(
            column_types={**types, **dict.fromkeys(gaps, pa.null())}, include_columns=[*columns, *gaps]
        ),
    )


def _arrow_names(text: DelimitedText) -> tuple[list[str], list[str]]:
    """Column names as Arrow sees the file, and those of them that stand between two real columns.

    Arrow's delimiter is one character: "a::b" is three columns to it, of which the middle one must be empty.
    """
    names, gaps = [text.names[0]], []
    for index, name in enumerate(text.names[1:]):
        between = [f"\0{index}.{part}" for part in range(len(text.delimiter) - 1)]
        names += [*between, name]
        gaps += between
    return names, gaps
