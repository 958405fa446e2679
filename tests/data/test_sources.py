"""Each reader on well-formed files made by hand, which file is read by which, and the published ones."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from written import INTER, write

from recsys.data.sources import AtomicFile, MovieLensRatings, Reader, SequenceText, Table, detect, read_atomic

ROWS = {"user": [1, 2, 1], "item": [10, 10, 7], "rating": [3.0, 4.5, 1.0], "timestamp": [5, 4, 3]}


@pytest.mark.parametrize(
    ("reader", "name", "text"),
    [
        (AtomicFile(), "x.inter", INTER + "1\t10\t3\t5\n2\t10\t4.5\t4\n1\t7\t1\t3\n"),
        (MovieLensRatings(), "ratings.dat", "1::10::3::5\n2::10::4.5::4\n1::7::1::3\n"),
        (MovieLensRatings(), "u.data", "1\t10\t3\t5\n2\t10\t4.5\t4\n1\t7\t1\t3"),
        (
            MovieLensRatings(),
            "ratings.csv",
            "userId,movieId,rating,timestamp\r\n1,10,3,5\r\n2,10,4.5,4\r\n1,7,1,3\r\n",
        ),
        (Table(rating="r", timestamp="t"), "x.csv", 'item,r,user,t\n10,3,1,5\n\n"10",4.5,2,4\n7,1,1,3\n'),
        (
            Table(rating="r", timestamp="t"),
            "x.tsv.gz",
            "t\tx\tuser\titem\tr\n5\t?\t1\t10\t3\n4\t\t2\t10\t4.5\n3\t,\t1\t7\t1\n",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 15 else None,
)
def test_readers_of_tables_agree(reader: Reader, name: str, text: str, tmp_path: Path) -> None:
    frame = reader.read(write(tmp_path / name, text))
    assert frame[list(ROWS)].to_dict("list") == ROWS
    assert frame.dtypes.astype(str).to_dict() == {
        "user": "int64",
        "item": "int64",
        "rating": "float64",
        "timestamp": "int64",
    }


@pytest.mark.parametrize("rows_a_group", [1, 2, 100])
def test_parquet_reads_as_csv_does(rows_a_group: int, tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS)
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=rows_a_group)
    reader = Table(rating="rating", timestamp="timestamp")
    pd.testing.assert_frame_equal(reader.read(tmp_path / "x.parquet"), frame)


def test_parquet_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array([3])], names=["user", "item", "user"])
    parquet.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'x.parquet'}: 2 columns are called 'user'; rename")):
        Table().read(tmp_path / "x.parquet")


def test_parquet_times_are_seconds(tmp_path: Path) -> None:
    times = pd.to_datetime(["1970-01-01 00:00:01.5", "1970-01-02"], format="ISO8601")
    for users in (["a", "b"], [1, 2]):
        frame = pd.DataFrame({"user": users, "item": [1, 2], "time": times})
        frame.to_parquet(tmp_path / "x.parquet", row_group_size=1)
        assert Table(timestamp="time").read(tmp_path / "x.parquet")["timestamp"].tolist() == [1.5, 86400.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": ["a", None, ""], "item": [1, 2, 3]}, "column 'user', row 2: the id is empty"),
        ({"user": pd.array([1, None], dtype="Int64"), "item": [1, 2]}, "column 'user', row 2: the id is empty"),
        ({"user": [1, 2], "item": [1.0, 2.0]}, "column 'item': ids must be integers or strings, got double"),
        (
            {"user": [1, 2], "item": [1, 2], "t": [1.0, np.nan]},
            "column 't', row 2: the value is not a finite",
        ),
        ({"user": [1, 2], "item": [1, 2], "t": ["x", "y"]}, "column 't': values must be numbers or dates"),
    ],
)
@pytest.mark.parametrize("rows_a_group", [1, 100])
def test_parquet_faults_are_named(columns: dict, message: str, rows_a_group: int, tmp_path: Path) -> None:
    pd.DataFrame(columns).to_parquet(tmp_path / "x.parquet", row_group_size=rows_a_group)
    reader = Table(timestamp="t" if "t" in columns else None)
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path / 'x.parquet'}, {message}")):
        reader.read(tmp_path / "x.parquet")


@pytest.mark.parametrize("ids", [["007", "7"], ["B00X", "7"], ["1.0", "2"], ["9" * 19, "1"], ["NA", "null"]])
def test_ids_that_are_no_plain_integers_stay_text(ids: list[str], tmp_path: Path) -> None:
    frame = Table().read(write(tmp_path / "x.csv", f"user,item\n{ids[0]},1\n{ids[1]},2\n"))
    assert frame["user"].tolist() == ids


def test_negative_ids_and_fractional_times_are_numbers(tmp_path: Path) -> None:
    frame = Table(timestamp="t").read(write(tmp_path / "x.csv", "user,item,t\n-1,0,1.5\n-1,1,2\n"))
    assert frame["user"].tolist() == [-1, -1]
    assert frame["timestamp"].tolist() == [1.5, 2.0]


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_a_delimiter_can_be_named(delimiter: str, tmp_path: Path) -> None:
    text = "user,item,t\n1,2,3\n4,5,6\n".replace(",", delimiter)
    frame = Table(timestamp="t", delimiter=delimiter).read(write(tmp_path / "x.csv", text))
    assert frame.to_dict("list") == {"user": [1, 4], "item": [2, 5], "timestamp": [3, 6]}
    with pytest.raises(
        ValueError, match=r"no column 'user', only 'user.*item.*t'.*data\.reader\.delimiter='[;|C]\S*'\"$"
    ):
        Table().read(tmp_path / "x.csv")


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n", "·"])
def test_a_delimiter_is_one_character(delimiter: str) -> None:
    with pytest.raises(ValueError, match=r"data\.reader\.delimiter \(.*\) must be one character"):
        Table(delimiter=delimiter)


@pytest.mark.parametrize("name", ["x.txt", "x.txt.gz"])
def test_both_layouts_of_sequence_text_give_the_same_sequences(name: str, tmp_path: Path) -> None:
    rows = SequenceText().read(write(tmp_path / name, "1 7 8\n2 9\n\n1\t7  9 \r\n"))
    pairs = SequenceText().read(write(tmp_path / name, "1 7\n1 8\n2 9\n1 7\n1 9"))
    assert rows.to_dict("list") == {"user": [1, 1, 2, 1, 1], "item": [7, 8, 9, 7, 9]}
    pd.testing.assert_frame_equal(rows, pairs)


def test_sequence_text_of_names(tmp_path: Path) -> None:
    frame = SequenceText().read(write(tmp_path / "x.txt", "ann x1 x2\nbob x1\n"))
    assert frame.to_dict("list") == {"user": ["ann", "ann", "bob"], "item": ["x1", "x2", "x1"]}


@pytest.mark.parametrize(
    ("names", "kind", "found"),
    [
        (["a.inter", "a.item", "a.txt"], AtomicFile, "a.inter"),
        (["movies.dat", "ratings.dat", "README.txt"], MovieLensRatings, "ratings.dat"),
        (["u.item", "u.data"], MovieLensRatings, "u.data"),
        (["ratings.csv", "links.csv"], MovieLensRatings, "ratings.csv"),
        (["movies.dat", "notes.txt", "x_sas.txt.gz"], SequenceText, "x_sas.txt.gz"),
    ],
)
def test_detection_in_a_folder_and_of_a_file(names: list[str], kind: type, found: str, tmp_path: Path) -> None:
    for name in names:
        write(tmp_path / name, "")
    for place in (tmp_path, tmp_path / found):
        reader, file = detect(place)
        assert isinstance(reader, kind)
        assert file == tmp_path / found


def test_an_unknown_format_is_refused_with_what_there_is_and_what_is_known(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", "")
    with pytest.raises(ValueError, match=r"it holds a\.xlsx, and none of \*\.inter, ratings\.dat, .*\*\.txt;"):
        detect(tmp_path)
    with pytest.raises(ValueError, match=r"its name is 'a\.xlsx', and none of"):
        detect(tmp_path / "a.xlsx")


def test_several_files_that_match_are_not_chosen_from(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "")
    write(tmp_path / "b.txt", "")
    with pytest.raises(ValueError, match=r"several \*\.txt files \(a\.txt, b\.txt\); name one as data\.path"):
        detect(tmp_path)


def test_movielens_100k(ml_100k: Path) -> None:
    reader, file = detect(ml_100k)
    frame = reader.read(file)
    assert (frame["user"].nunique(), frame["item"].nunique(), len(frame)) == (943, 1682, 100_000)
    assert frame.iloc[0].tolist() == [196, 242, 3, 881250949]
    items = read_atomic(ml_100k / "ml-100k.item").set_index("item_id")
    assert len(items) == 1682
    assert items.loc[1, "class"] == ["Animation", "Children's", "Comedy"]
    assert len(read_atomic(ml_100k / "ml-100k.user")) == 943


@pytest.mark.parametrize(
    ("place", "users", "items", "interactions"),
    [
        ("ml-1m", 6040, 3416, 999_611),
        ("s3rec/Beauty.txt.gz", 22_363, 12_101, 198_502),
        ("s3rec/Sports_and_Outdoors.txt.gz", 35_598, 18_357, 296_337),
        ("s3rec/LastFM.txt.gz", 1_090, 3_646, 52_551),
    ],
)
def test_published_sequence_text(place: str, users: int, items: int, interactions: int, shared: Path) -> None:
    reader, file = detect(shared / place)
    frame = reader.read(file)
    assert (frame["user"].nunique(), frame["item"].nunique(), len(frame)) == (users, items, interactions)
