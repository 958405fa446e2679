"""Columns of the tables that users hand over, found by their names."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import parquet

from recsys.data.sources.columns import ID_TYPE, id_fault
from recsys.data.sources.delimited import DELIMITERS, DelimitedText, ending, open_text, read_arrow, read_header
from recsys.data.sources.table import parquet_faults

TABLES = (*DELIMITERS, ".parquet")
NAMES = {  # the plain names, RecBole's and GroupLens's
    "user": ("user", "user_id", "userId"),
    "item": ("item", "item_id", "movieId"),
    "rating": ("rating",),
    "timestamp": ("timestamp", "time"),
}


def named(role: str, names: Sequence[str], own: Mapping[str, str]) -> str | None:
    """The column of that role: as in the data's own file, else by a known name; None where there is none."""
    return next((name for name in (own.get(role), *NAMES[role]) if name in names), None)


def column_names(path: Path) -> list[str]:
    """Of a `.csv`, `.tsv` (also gzipped) or `.parquet` file."""
    if ending(path) in DELIMITERS:
        return read_header(path, DELIMITERS[ending(path)])
    with parquet_faults(path):
        return parquet.read_schema(path).names


def read_users(path: Path) -> list[str]:
    """The users that a file names: each of a table's column of users once, in order; else an id per line.

    A list may have a heading. ValueError naming the file where a table has no such column, nobody is named, or a list
    names somebody twice.
    """
    if ending(path) == ".parquet":
        names = _distinct(parquet.read_table(path, columns=[_user_column(path)]).column(0).to_pandas())
    elif ending(path) in DELIMITERS and len(header := column_names(path)) > 1:
        text = DelimitedText(path, DELIMITERS[ending(path)], header, has_header=True, quoted=True)
        column = _user_column(path)
        names = _distinct(read_arrow(text, {column: ID_TYPE}, {column: id_fault})[column].to_pandas())
    else:
        names = _lines(path)
    if not names:
        raise ValueError(f"{path} names no user; write one id per line")
    return names


def _user_column(path: Path) -> str:
    names = column_names(path)
    column = named("user", names, {})
    if column is None:
        raise ValueError(f"{path}: there is no column 'user', only {', '.join(map(repr, names))}; rename the right one")
    return column


def _distinct(values: pd.Series) -> list[str]:
    return values.astype(str).drop_duplicates().to_list()


def _lines(path: Path) -> list[str]:
    with open_text(path) as lines:
        names = [name for line in lines if (name := line.strip())]
    names = names[1:] if names[:1] and names[0] in NAMES["user"] else names
    twice = np.flatnonzero(pd.Series(names, dtype=object).duplicated())
    if len(twice):
        raise ValueError(f"{path}: user {names[twice[0]]} stands there twice; remove one")
    return names
