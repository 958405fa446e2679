"""What a run shows the users of the test: each one's best items, kept beside the run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from recsys.report.runs import Run
from recsys.whole_files import written_whole

FILE = "topk_test.parquet"
COLUMNS = ("user", "item", "rank", "score")


def write_top(file: Path, frame: pd.DataFrame, *, k: int) -> None:
    """All of it or nothing. frame: columns user and item (raw ids), rank (from 1), score, and more where there is more.

    k: the length that was asked for, kept with the file.
    """
    kept = frame.copy(deep=False)
    kept.attrs["k"] = k
    with written_whole(file) as partial:
        kept.to_parquet(partial, index=False)


def read_top(run: Run, users: Iterable[Any]) -> dict[Any, list[Any]]:
    """User -> raw ids of the best items, best first, of those users alone. ValueError where they can't be had."""
    file = run.path / FILE
    if not file.exists():
        raise ValueError(f"{file} is missing: no lists of {run.name} are shown; run it again with force=true.")
    try:
        frame = pd.read_parquet(file, columns=list(COLUMNS))
        own: Any = frame[frame["user"].isin(list(users))]
        return {user: rows["item"].to_list() for user, rows in own.sort_values("rank").groupby("user")}
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{file} can't be read ({reason}): no lists of {run.name} are shown.") from error
