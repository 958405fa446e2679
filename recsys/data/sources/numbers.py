"""Large text files of numbers: parts of a file side by side, without a second copy of their columns."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys.data.sources.arrow_text import DelimitedText, arrow_table
from recsys.data.sources.columns import ID_ROLES, frame_of_parts, interactions_frame, is_clean

COMPILED_FROM = 2**26  # bytes; fewer are read in less time than importing what calls compiled code takes
PART = 2**24  # bytes; two cores have memory enough for what Arrow makes of them
LONGEST = 2**16  # bytes of a line


def read_numbers(text: DelimitedText, columns: Mapping[str, str]) -> pd.DataFrame | None:
    """Interactions frame of the columns `{role: name in the file}`.

    None where this is no faster (a small or gzipped file, no C compiler), and where the file may be anything but lines
    of integers for ids and finite numbers: it is for another to read it as text and to say what is wrong.
    """
    if text.path.suffix == ".gz" or text.path.stat().st_size < COMPILED_FROM:
        return None
    from recsys.kernels.library import library

    if library() is None:
        return None
    whole = np.memmap(text.path, dtype=np.uint8, mode="r")
    parts = _parts(whole, skip_line=text.has_header)
    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        lines = list(pool.map(partial(_num_lines, whole, delimiter=text.delimiter[0]), parts))
    if min(lines, default=-1) < 0:
        return None
    try:
        return _read(text, columns, [whole[slice(*part)] for part in parts], lines)
    except (pa.ArrowInvalid, _NotPlainError):
        return None


class _NotPlainError(Exception):
    """A part holds anything but as many rows of numbers as it has lines."""


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


def _num_lines(whole: np.ndarray, part: tuple[int, int], *, delimiter: str) -> int:
    """How many lines a part has; -1 where its integers may not come back the same."""
    from recsys.kernels.library import call

    lines = call("plain_lines", whole, *part, len(whole), ord(delimiter))
    return lines if lines < 0 else lines + int(whole[part[1] - 1] != ord("\n"))


def _read(text: DelimitedText, columns: Mapping[str, str], parts: list[np.ndarray], lines: list[int]) -> pd.DataFrame:
    ids = {columns[role]: pa.int64() for role in ID_ROLES}
    begin = parts[0][: _line_end(parts[0], 0)]
    first = arrow_table(text, ids, columns.values(), part=pa.BufferReader(begin))
    types = {name: first[name].type for name in columns.values()}
    if "rating" in columns:
        types[columns["rating"]] = pa.float64()  # "4" in one part, "4.5" in the next

    def read(number: int) -> pd.DataFrame:
        table = arrow_table(text, types, columns.values(), part=pa.BufferReader(parts[number]))
        clean = all(is_clean(table[name], is_id=False) for name in columns.values())
        if not clean or table.num_rows != lines[number]:
            raise _NotPlainError
        return interactions_frame(table, columns)

    return frame_of_parts({role: types[name] for role, name in columns.items()}, lines, read)
