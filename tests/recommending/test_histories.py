"""Files of new users: read by format, never by name; a column that might be the time is never passed over."""

from pathlib import Path

import pandas as pd
import pytest

from recsys.data.sources import READERS, SequenceText, Table
from recsys.recommending.histories import read_histories, table_columns

OWN = (Table(timestamp="when", patterns=["train_ratings.csv"]),)
UNTIMED = (Table(),)


def written(path: Path, columns: str, delimiter: str = ",") -> Path:
    names = columns.split()
    rows = ["7", "8", "3", "4"][: len(names)]
    path.write_text(f"{delimiter.join(names)}\n{delimiter.join(rows)}\n")
    return path


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        ("user item when", "when"),
        ("when item user", "when"),
        ("user item time", "time"),
        ("userId movieId rating timestamp", "timestamp"),
        ("user_id item_id genre time", "time"),
        ("user item time when", "when"),
        ("user item", None),
        ("user item rating", None),
    ],
)
@pytest.mark.parametrize(("name", "delimiter"), [("new.csv", ","), ("new.tsv", "\t")])
def test_columns_of_a_table_are_known_by_their_names(
    columns: str, time: str | None, name: str, delimiter: str, tmp_path: Path
) -> None:
    path = written(tmp_path / name, columns, delimiter)
    assert table_columns(path, OWN).get("timestamp") == time
    frame = read_histories(OWN, path, rated=False)
    expected = {"user", "item", "timestamp"} if time else {"user", "item"}
    assert set(frame) == expected
    if time:
        where = columns.split().index(time)
        assert frame["timestamp"].to_list() == [[7, 8, 3, 4][where]]


def test_parquet_too(tmp_path: Path) -> None:
    pd.DataFrame({"user": [1], "item": [2], "time": [3]}).to_parquet(tmp_path / "new.parquet")
    assert read_histories(OWN, tmp_path / "new.parquet", rated=False)["timestamp"].to_list() == [3]


def test_ratings_where_they_are_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "new.csv", "user item rating time")
    assert read_histories(OWN, path, rated=True)["rating"].to_list() == [3.0]
    assert "rating" not in read_histories(OWN, path, rated=False)


def test_what_may_be_the_time_is_never_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path / "new.csv", "user item date")
    for readers, name in ((OWN, "when"), ((SequenceText(),), "timestamp"), (READERS, "timestamp")):
        with pytest.raises(ValueError, match=rf"times is not known \('date'\); rename it to {name}, or where rows are"):
            read_histories(readers, path, rated=False)
    # the data's own rows are in order, whatever other columns stand beside
    assert len(read_histories(UNTIMED, path, rated=False)) == 1
    with pytest.raises(ValueError, match="there is no column 'item' of items, only 'user', 'film'; rename"):
        read_histories(OWN, written(tmp_path / "new.csv", "user film"), rated=False)


def test_other_formats_by_their_endings(tmp_path: Path) -> None:
    beauty = (SequenceText(patterns=["Beauty.txt", "Beauty.txt.gz"]),)
    text = tmp_path / "anybody.txt"
    text.write_text("1 5 3\n2 4\n")
    assert read_histories(beauty, text, rated=False)["item"].to_list() == [5, 3, 4]
    assert read_histories(READERS, text, rated=False)["item"].to_list() == [5, 3, 4]
    atomic = tmp_path / "anybody.inter"
    atomic.write_text("user_id:token\titem_id:token\ttimestamp:float\n1\t5\t9\n")
    assert read_histories(READERS, atomic, rated=False)["timestamp"].to_list() == [9]
    published = tmp_path / "u.data"
    published.write_text("1\t5\t3\t9\n")
    assert read_histories(READERS, published, rated=False)["timestamp"].to_list() == [9]
    for readers, path in ((READERS, tmp_path / "my.data"), (OWN, text), (beauty, atomic)):
        with pytest.raises(ValueError, match="histories are read from a file like the data's own"):
            read_histories(readers, path, rated=False)
