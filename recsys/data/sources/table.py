"""Any table with a user and an item column: CSV, TSV or Parquet."""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported; type checkers can't see them.

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from recsys.data.sources.columns import ID_ROLES, interactions_frame, is_date, kind_of, seconds
from recsys.data.sources.delimited import (
    DELIMITERS,
    DelimitedText,
    ending,
    read_header,
    read_interactions,
    require_columns,
)

OPTION = "data.reader.{role}=NAME"


class Table:
    """Columns of a `.csv`, `.tsv` (with a header, optionally gzipped) or `.parquet` file, by their names.

    user, item: names of the id columns.
    rating, timestamp: names of those columns, or None where there are none; without timestamps a user's order
    is the order of the rows. A column of dates (in text as ISO 8601 writes them) becomes seconds since 1970.
    delimiter: the character between the columns of a text file; None: a comma in .csv, a tab in .tsv.
    patterns: names by which the file is found in a folder, the first match wins.
    """

    def __init__(
        self,
        *,
        user: str = "user",
        item: str = "item",
        rating: str | None = None,
        timestamp: str | None = None,
        delimiter: str | None = None,
        patterns: Sequence[str] = ("*.csv", "*.tsv", "*.parquet", "*.csv.gz", "*.tsv.gz"),
    ) -> None:
        if delimiter is not None and (len(delimiter.encode()) != 1 or delimiter in '"\r\n'):
            raise ValueError(
                f"data.reader.delimiter ({delimiter!r}) must be one character of ASCII, such as ';' or '|'"
            )
        self.delimiter = delimiter
        self.patterns = tuple(patterns)
        columns = {"user": user, "item": item, "rating": rating, "timestamp": timestamp}
        self.columns = {role: name for role, name in columns.items() if name is not None}

    def read(self, path: Path) -> pd.DataFrame:
        """Interactions frame. Raises ValueError naming file, line (in Parquet: row) and column."""
        suffix = ending(path)
        if suffix not in _READ:
            raise ValueError(
                f"{path}: a table's name must end in {', '.join(_READ)}, got {suffix!r}; choose data=atomic for "
                "RecBole's atomic files (.inter), or give another table a name that says what it is"
            )
        return _READ[suffix](path, self.columns, self.delimiter)


def _read_text(usual: str, path: Path, columns: Mapping[str, str], delimiter: str | None) -> pd.DataFrame:
    between = delimiter or usual
    text = DelimitedText(path, between, read_header(path, between), has_header=True, quoted=True)
    return read_interactions(text, columns, option=OPTION if len(text.names) > 1 else OPTION + _other(text.names[0]))


def _other(header: str) -> str:
    """The advice where the first line holds no delimiter."""
    character = next((each for each in ";|" if each in header), "CHARACTER")
    return f", or what separates the columns with \"data.reader.delimiter='{character}'\""


@contextmanager
def parquet_faults(path: Path) -> Iterator[None]:
    """Within, a file that is no Parquet is a ValueError."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is not a readable Parquet file ({error}); write it again") from error


def _read_parquet(path: Path, columns: Mapping[str, str], _: str | None) -> pd.DataFrame:
    with parquet_faults(path):
        metadata = parquet.read_metadata(path)
        schema = metadata.schema.to_arrow_schema()
        require_columns(path, schema.names, columns, option=OPTION)
        for name in columns.values():
            if schema.names.count(name) > 1:
                raise ValueError(f"{path}: {schema.names.count(name)} columns are called {name!r}; rename the others")
        types = {role: schema.field(name).type for role, name in columns.items()}
        if all(pa.types.is_signed_integer(types[role]) for role in ID_ROLES):
            return _filled(path, metadata, columns, types)
        table = _read_groups(path, metadata, columns, range(metadata.num_row_groups), first_row=0, use_threads=True)
        return interactions_frame(table, columns)


def _filled(
    path: Path, metadata: parquet.FileMetaData, columns: Mapping[str, str], types: Mapping[str, pa.DataType]
) -> pd.DataFrame:
    """The columns, all of numbers, row group by row group: no second copy of them all stands in memory."""
    lengths = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    ends = list(accumulate(lengths))
    whole = {role: np.empty(sum(lengths), dtype=kind_of(role, values)) for role, values in types.items()}

    def fill(group: int) -> None:
        start = ends[group] - lengths[group]
        table = _read_groups(path, metadata, columns, [group], first_row=start, use_threads=False)
        for role, name in columns.items():
            at = start
            for chunk in table[name].chunks:
                whole[role][at : at + len(chunk)] = chunk.to_numpy()
                at += len(chunk)

    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        list(pool.map(fill, range(len(lengths))))
    return pd.DataFrame(whole, copy=False)


def _read_groups(
    path: Path,
    metadata: parquet.FileMetaData,
    columns: Mapping[str, str],
    groups: Sequence[int],
    *,
    first_row: int,
    use_threads: bool,
) -> pa.Table:
    """The clean columns of some row groups, of which the first begins at row `first_row` of the file."""
    with parquet.ParquetFile(path, metadata=metadata, memory_map=True) as file:
        table = file.read_row_groups(list(groups), columns=list(columns.values()), use_threads=use_threads)
    arrays = {}
    for role, name in columns.items():
        clean = _ids if role in ID_ROLES else _numbers
        arrays[name] = clean(table[name], f"{path}, column {name!r}", first_row)
    return pa.table(arrays)


def _ids(column: pa.ChunkedArray, place: str, first_row: int) -> pa.ChunkedArray:
    """The column as integers or text."""
    value_type = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not any(check(value_type) for check in _ID_CHECKS):
        raise ValueError(f"{place}: ids must be integers or strings, got {value_type}; convert the column")
    ids = column.cast(pa.int64() if pa.types.is_signed_integer(value_type) else pa.string())
    empty = ids.is_null() if pa.types.is_integer(ids.type) else pc.equal(pc.fill_null(ids, ""), "")
    _refuse_first(empty, place, first_row, "the id is empty")
    return ids


def _numbers(column: pa.ChunkedArray, place: str, first_row: int) -> pa.ChunkedArray:
    """The column as finite numbers, dates in seconds."""
    if is_date(column.type):
        column = seconds(column)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise ValueError(f"{place}: values must be numbers or dates, got {column.type}; convert the column")
    finite = pc.fill_null(pc.is_finite(column), False)
    _refuse_first(pc.invert(finite), place, first_row, "the value is not a finite number")
    return column


def _refuse_first(faulty: pa.ChunkedArray, place: str, first_row: int, complaint: str) -> None:
    if pc.any(faulty).as_py():
        row = first_row + np.flatnonzero(faulty.to_numpy())[0]
        raise ValueError(f"{place}, row {row + 1}: {complaint}; fix or remove the row")


_ID_CHECKS = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)
_READ: dict[str, Callable[[Path, Mapping[str, str], str | None], pd.DataFrame]] = {
    **{suffix: partial(_read_text, delimiter) for suffix, delimiter in DELIMITERS.items()},
    ".parquet": _read_parquet,
}
