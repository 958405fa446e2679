"""Sequence text: lines of a user and items, oldest first, as SASRec's and S3-Rec's authors publish it."""

# pyright: reportAttributeAccessIssue=false
# pyarrow.compute makes its functions when it is imported; type checkers can't see them.

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.sources.columns import id_values
from recsys.data.sources.delimited import open_text


class SequenceText:
    """`user item item ...` (S3-Rec) or `user item` (SASRec): a line appends its items to its user's sequence.

    Separated by white space; gzipped where the name ends in `.gz`. There are no ratings and no timestamps:
    the order in the file is the order in time.

    patterns: names by which the file is found in a folder, the first match wins.
    """

    def __init__(self, *, patterns: Sequence[str] = ("*.txt.gz", "*.txt")) -> None:
        self.patterns = tuple(patterns)

    def read(self, path: Path) -> pd.DataFrame:
        """Interactions frame without ratings and timestamps. Raises ValueError naming file and line."""
        tokens, lengths = _tokens(path)
        first = np.cumsum(lengths) - lengths  # position of each line's user
        is_item = np.ones(len(tokens), dtype=bool)
        is_item[first] = False
        line_of_item = np.repeat(np.arange(len(first)), lengths - 1)
        users = tokens.take(first).dictionary_encode().take(line_of_item)
        items = tokens.filter(is_item).dictionary_encode()
        return pd.DataFrame({"user": _ids(users), "item": _ids(items)})


def _tokens(path: Path) -> tuple[pa.Array, np.ndarray]:
    """All tokens of the file, and how many each line that isn't blank has (at least 2)."""
    lines = pc.ascii_trim_whitespace(_lines(path))
    numbers = np.flatnonzero(pc.not_equal(lines, ""))
    if not len(numbers):
        raise ValueError(f"{path} holds no rows")
    tokens = pc.ascii_split_whitespace(lines.take(numbers))
    lengths = pc.list_value_length(tokens).to_numpy()
    lonely = np.flatnonzero(lengths < 2)
    if len(lonely):
        place = f"{path}, line {numbers[lonely[0]] + 1}, column 1 (user)"
        user = tokens[lonely[0]][0].as_py()
        raise ValueError(f"{place}: user {user!r} has no items; add some or remove the line")
    return tokens.flatten(), lengths


def _lines(path: Path) -> pa.Array:
    with open_text(path) as file:
        text = file.read()
    try:
        return pc.split_pattern(pa.scalar(text, pa.large_string()), "\n").values
    except UnicodeEncodeError as error:  # a surrogate: open_text met bytes that are no text
        line = text.count("\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: not UTF-8 text; fix or remove the line") from error


def _ids(encoded: pa.Array) -> np.ndarray | pd.Series:
    return id_values(pa.chunked_array([encoded]))
