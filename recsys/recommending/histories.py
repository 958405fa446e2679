"""Interactions of new users: a file's format decides how it is read, never its name."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from recsys.data.sources import AtomicFile, Reader, SequenceText, Table
from recsys.data.sources.delimited import ending
from recsys.recommending.columns import NAMES, TABLES, column_names, named


def read_histories(readers: Sequence[Reader], path: Path, *, rated: bool) -> pd.DataFrame:
    """The file as an interactions frame.

    readers: the data's own; a table may also have the columns that `NAMES` knows. rated: whether ratings are read.
    ValueError where the format is none of the data's own and no table, and as `table_columns` says.
    """
    if ending(path) in TABLES:
        columns = table_columns(path, readers)
        return Table(**{role: name for role, name in columns.items() if rated or role != "rating"}).read(path)
    for reader in readers:
        alike = isinstance(reader, AtomicFile | SequenceText) and ending(path) in map(
            ending, map(Path, reader.patterns)
        )
        if alike or any(path.match(pattern) for pattern in reader.patterns):
            return reader.read(path)
    known = ", ".join(pattern for reader in readers for pattern in reader.patterns)
    raise ValueError(
        f"{path}: histories are read from a file like the data's own ({known}) or a table ({', '.join(TABLES)}), and "
        f"its name is {path.name!r}; rename it"
    )


def table_columns(path: Path, readers: Sequence[Reader]) -> dict[str, str]:
    """Role -> name of the column; of ratings and times where there are any.

    ValueError where users or items can't be told, or where there are other columns and none is known to hold times: in
    what order a user's rows are would be a guess. A table like the data's own, which has no times, is in order as that.
    """
    own = next((reader.columns for reader in readers if isinstance(reader, Table | AtomicFile)), {})
    names = column_names(path)
    found = {role: name for role in NAMES if (name := named(role, names, own)) is not None}
    for role in ("user", "item"):
        if role not in found:
            raise ValueError(
                f"{path}: there is no column {own.get(role, role)!r} of {role}s, only {', '.join(map(repr, names))}; "
                f"rename the one that holds them to {role}"
            )
    others = [name for name in names if name not in found.values()]
    if others and "timestamp" not in found and not _is_like(own, names, readers):
        raise ValueError(
            f"{path}: which column holds the times is not known ({', '.join(map(repr, others))}); rename it to "
            f"{own.get('timestamp', 'timestamp')}, or where rows are oldest first leave these columns out"
        )
    return found


def _is_like(own: Mapping[str, str], names: Sequence[str], readers: Sequence[Reader]) -> bool:
    """Whether the data is a table without times, and this one has its columns."""
    untimed = any(isinstance(reader, Table) and "timestamp" not in reader.columns for reader in readers)
    return untimed and set(own.values()) <= set(names)
