"""Large text files of plain numbers, read by recsys/kernels/text.c: parts of a file side by side."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate, pairwise
from os import cpu_count

import numpy as np
import pandas as pd

from recsys.data.sources.arrow_text import DelimitedText
from recsys.data.sources.columns import ID_ROLES

COMPILED_FROM = 2**26  # bytes; fewer are read in less time than importing what calls compiled code takes
PART = 2**24  # bytes that are read at a time: enough that handing them out is nothing, few enough for all cores
LONGEST = 2**16  # bytes of a line: what is longer is no table of numbers
SKIPPED, WHOLE, FRACTION = range(3)  # text.c's kinds of columns


def read_numbers(text: DelimitedText, columns: Mapping[str, str]) -> pd.DataFrame | None:
    """Interactions frame of the columns `{role: name in the file}`, in half of the time and memory that Arrow takes.

    None where that is not worth it (a small or gzipped file) or not to be had (no C compiler, one column in two roles),
    and where a line is anything but plain fields, among them integers that are written as such for ids and numbers of
    at most 15 digits: it is for another to read them or to say what is wrong.
    """
    if text.path.suffix == ".gz" or text.path.stat().st_size < COMPILED_FROM or len({*columns.values()}) < len(columns):
        return None
    from recsys.kernels.library import call, library

    if library() is None:
        return None
    whole = np.memmap(text.path, dtype=np.uint8, mode="r")
    parts = _parts(whole, skip_line=text.has_header)
    start = parts[0][0] if parts else 0
    line = whole[start : _line_end(whole, start)]
    ends_otherwise = (whole[: max(0, start - 2)] == ord("\r")).any()  # a header that "\r" alone ends
    if not parts or len(line) > LONGEST or ends_otherwise:
        return None
    types = _types(text, columns, line.tobytes())
    with ThreadPoolExecutor(cpu_count()) as pool:
        lines = list(pool.map(lambda part: call("count_lines", whole, *part), parts))
        lines[-1] += int(whole[-1] != ord("\n"))
        frame = {role: np.empty(sum(lines), dtype=types[role]) for role in columns}
        form = _form(text, {columns[role]: values for role, values in frame.items()})

        def read(part: tuple[int, int], start: int) -> int:
            return call("read_table", whole, *part, *form, start)

        found = list(pool.map(read, parts, accumulate(lines[:-1], initial=0)))
    return pd.DataFrame(frame, copy=False) if found == lines else None


def _parts(whole: np.ndarray, *, skip_line: bool) -> list[tuple[int, int]]:
    """Where parts begin and end, behind ends of lines; where a line is very long, a part goes on to the end."""
    cuts = [_line_end(whole, 0) if skip_line else 0]
    while cuts[-1] < len(whole):
        cuts.append(_line_end(whole, cuts[-1] + PART))
    return list(pairwise(cuts))


def _line_end(whole: np.ndarray, start: int) -> int:
    """Behind the first line end from there on, or the end."""
    found = np.flatnonzero(whole[start : start + LONGEST] == ord("\n"))
    return start + int(found[0]) + 1 if len(found) else len(whole)


def _types(text: DelimitedText, columns: Mapping[str, str], line: bytes) -> dict[str, type[np.number]]:
    """What each role's numbers are: times as the first line writes them."""
    fields = line.split(text.delimiter.encode())
    types: dict[str, type[np.number]] = {role: np.int64 if role in ID_ROLES else np.float64 for role in columns}
    place = text.names.index(columns["timestamp"]) if "timestamp" in columns else len(fields)
    if place < len(fields) and b"." not in fields[place]:
        types["timestamp"] = np.int64
    return types


def _form(text: DelimitedText, values: Mapping[str, np.ndarray]) -> tuple[int, int, int, np.ndarray, np.ndarray]:
    """What `read_table` is told of the lines: delimiter, how often, fields, and of each its kind and its column."""
    kinds, places = np.full(len(text.names), SKIPPED), np.zeros(len(text.names), dtype=np.int64)
    for name, column in values.items():
        place = text.names.index(name)
        kinds[place] = WHOLE if column.dtype == np.int64 else FRACTION
        places[place] = column.ctypes.data
    return ord(text.delimiter[0]), len(text.delimiter), len(text.names), kinds, places
