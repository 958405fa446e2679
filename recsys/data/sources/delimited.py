"""Delimited text at full speed; where that fails, a slow pass names the file, the line and the column."""

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TextIO

import pandas as pd
import pyarrow as pa

from recsys.data.sources.arrow_text import DelimitedText, arrow_table
from recsys.data.sources.columns import (
    ID_ROLES,
    TimeFault,
    encoding_fault,
    id_fault,
    interactions_frame,
    is_clean,
    is_date,
    number_fault,
    seconds,
)
from recsys.data.sources.numbers import read_numbers

DELIMITERS = {".csv": ",", ".tsv": "\t"}  # by what a file's name ends in
OPTION = "{role}=NAME of a reader that is given as data.reader"
Faults = Mapping[str, Callable[[str], str | None]]  # column name -> what, if anything, is wrong with a field


def read_header(path: Path, delimiter: str) -> list[str]:
    """Fields of the first line."""
    with open_text(path) as lines:
        first = lines.readline().rstrip("\r\n")
    if not first:
        raise ValueError(f"{path}, line 1: the columns' names must stand here, got an empty line; add them")
    return next(csv.reader([first], delimiter=delimiter))


@contextmanager
def open_text(path: Path, *, encoding: str = "utf-8-sig") -> Iterator[TextIO]:
    """The file's text, decompressed if its name ends in `.gz`; bytes outside the encoding become surrogates."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding=encoding, errors="surrogateescape", newline="") as lines:
            yield lines  # type: ignore[misc]
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path} is not a complete gzip file ({error}); fetch it again") from error


def ending(path: Path) -> str:
    """What tells a file's format, `.gz` left out."""
    return Path(path.name.removesuffix(".gz")).suffix


def read_interactions(text: DelimitedText, columns: Mapping[str, str], *, option: str = OPTION) -> pd.DataFrame:
    """Interactions frame of the columns `{role: name in the file}`, roles user, item, rating, timestamp.

    ISO dates in the column of times become seconds since 1970. option: see `require_columns`.
    Raises ValueError that names file, line and column for a missing column, a row of another width, an empty
    id, a number that isn't one and a time that is neither a number nor a date.
    """
    require_columns(text.path, text.names, columns, option=option)
    frame = read_numbers(text, columns)
    if frame is not None:
        return frame
    faults = {name: _fault_of(role) for role, name in columns.items()}
    types = {columns[role]: pa.string() for role in ID_ROLES}  # so that "007" and "7" stay two ids
    table = read_arrow(text, types, faults)
    time = columns.get("timestamp")
    if time and is_date(table[time].type) and not table[time].null_count:
        table = table.set_column(table.column_names.index(time), time, seconds(table[time]))
    if not all(is_clean(table[name], is_id=name in types) for name in faults):
        raise_first_fault(text, faults, reason="a value is missing or is not of its column")
    return interactions_frame(table, columns)


def _fault_of(role: str) -> Callable[[str], str | None]:
    if role in ID_ROLES:
        return id_fault
    return TimeFault() if role == "timestamp" else number_fault


def require_columns(path: Path, names: Sequence[str], columns: Mapping[str, str], *, option: str = OPTION) -> None:
    """Raise ValueError where one of the columns `{role: name}` is not among the file's.

    option: what on the command line says which column has a role, with `{role}` in its place.
    """
    for role, name in columns.items():
        if name not in names:
            which = option.format(role=role)
            if not all(re.fullmatch(r"\w+", each, re.ASCII) for each in names):
                which = re.sub(r"(\S+)=NAME", r"""'\1="NAME"'""", which)  # quoted for the shell and for Hydra
            raise ValueError(
                f"{path}: there is no column {name!r}, only {', '.join(map(repr, names))}; say which it is with {which}"
            )


def read_arrow(text: DelimitedText, types: Mapping[str, pa.DataType], faults: Faults) -> pa.Table:
    """The columns that `faults` names; types not given are inferred. Raises ValueError if malformed."""
    try:
        table = arrow_table(text, types, faults)
    except (pa.ArrowInvalid, OSError) as error:  # OSError: a damaged gzip file
        raise_first_fault(text, faults, reason=str(error))
    if table.num_rows == 0:
        raise ValueError(f"{text.path} holds no rows")
    return table


def raise_first_fault(text: DelimitedText, faults: Faults, *, reason: str) -> NoReturn:
    """Raise ValueError for the first faulty line; `reason` is the message where no line is found faulty."""
    checks = [(list(text.names).index(name), name, fault) for name, fault in faults.items()]
    for line, row in _rows(text):
        if len(row) != len(text.names):
            short = len(row) < len(text.names)
            first = f"{text.names[len(row)]!r}) is missing" if short else f"{row[len(text.names)][:40]!r}) is surplus"
            raise ValueError(
                f"{text.path}, line {line}: expected {len(text.names)} columns ({', '.join(text.names)}), "
                f"found {len(row)}: column {min(len(row), len(text.names)) + 1} ({first}; fix or remove the line"
            )
        for position, name, fault in checks:
            if complaint := encoding_fault(row[position]) or fault(row[position]):
                place = f"{text.path}, line {line}, column {position + 1} ({name!r})"
                raise ValueError(f"{place}: {complaint}; fix or remove the line")
    raise ValueError(f"{text.path}: {reason}")


def _rows(text: DelimitedText) -> Iterator[tuple[int, list[str]]]:
    """(line number, fields) of every row that isn't empty, below the header."""
    with open_text(text.path) as lines:
        if text.quoted:
            reader = csv.reader(lines, delimiter=text.delimiter)
            rows = ((reader.line_num, row) for row in reader)
        else:
            rows = ((i, line.rstrip("\r\n").split(text.delimiter)) for i, line in enumerate(lines, start=1))
        for line, row in rows:
            if row not in ([], [""]) and line > text.has_header:
                yield line, row
