"""Each reader on hand-made files, well-formed and not, and on the published ones."""

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.data.sources import AtomicFile, MovieLensRatings, Reader, SequenceText, Table, detect, read_atomic

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
NEITHER = "is neither a number nor a date such as 2017-06-02 21:47:03"
ROWS = {"user": [1, 2, 1], "item": [10, 10, 7], "rating": [3.0, 4.5, 1.0], "timestamp": [5, 4, 3]}


def write(path: Path, text: str) -> Path:
    """A text file, gzipped where its name says so."""
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def assert_refused(reader: Reader, path: Path, text: str, message: str) -> None:
    """Reading the text raises a ValueError with exactly this message, the path in front."""
    with pytest.raises(ValueError, match=rf"^{re.escape(f'{path}{message}')}$"):
        reader.read(write(path, text))


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


def test_parquet_reads_as_csv_does(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS)
    frame.to_parquet(tmp_path / "x.parquet")
    reader = Table(rating="rating", timestamp="timestamp")
    pd.testing.assert_frame_equal(reader.read(tmp_path / "x.parquet"), frame)


def test_parquet_times_are_seconds(tmp_path: Path) -> None:
    times = pd.to_datetime(["1970-01-01 00:00:01.5", "1970-01-02"], format="ISO8601")
    pd.DataFrame({"user": ["a", "b"], "item": [1, 2], "time": times}).to_parquet(tmp_path / "x.parquet")
    assert Table(timestamp="time").read(tmp_path / "x.parquet")["timestamp"].tolist() == [1.5, 86400.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": ["a", None, ""], "item": [1, 2, 3]}, "column 'user', row 2: the id is empty"),
        ({"user": [1, 2], "item": [1.0, 2.0]}, "column 'item': ids must be integers or strings, got double"),
        (
            {"user": [1, 2], "item": [1, 2], "t": [1.0, np.nan]},
            "column 't', row 2: the value is not a finite",
        ),
        ({"user": [1, 2], "item": [1, 2], "t": ["x", "y"]}, "column 't': values must be numbers or dates"),
    ],
)
def test_parquet_faults_are_named(columns: dict, message: str, tmp_path: Path) -> None:
    pd.DataFrame(columns).to_parquet(tmp_path / "x.parquet")
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


@pytest.mark.parametrize(
    "times",
    [
        ["2017-06-02 21:47:03", "1969-12-31 23:59:59"],
        ["2017-06-02T21:47:03.250", "2017-06-02T21:47:03"],
        ["2017-06-02", "1999-01-31"],
        ["2017-06-02 21:47", "2017-06-03"],
        ["2017-06-02T21:47:03Z", "2017-06-02T21:47:03+09:00"],
    ],
)
@pytest.mark.parametrize("name", ["x.csv", "x.tsv"])
def test_iso_dates_are_seconds_as_in_parquet(name: str, times: list[str], tmp_path: Path) -> None:
    between = "\t" if name == "x.tsv" else ","
    rows = [["user", "item", "t"], *(["1", "2", time] for time in times)]
    frame = Table(timestamp="t").read(write(tmp_path / name, "".join(between.join(row) + "\n" for row in rows)))
    moments = [datetime.fromisoformat(time) for time in times]
    truth = [(each if each.tzinfo else each.replace(tzinfo=UTC)).timestamp() for each in moments]
    assert frame["timestamp"].tolist() == truth
    columns = {"user": 1, "item": 2, "t": pd.to_datetime(pd.Series(times), utc=True, format="ISO8601")}
    pd.DataFrame(columns).to_parquet(tmp_path / "x.parquet")
    assert Table(timestamp="t").read(tmp_path / "x.parquet")["timestamp"].tolist() == truth


@pytest.mark.parametrize(
    ("times", "complaint"),
    [
        (["2017-06-02", "1500000000"], "'1500000000' is a number in a column that began with a date without a zone"),
        (["1500000000", "2017-06-02"], "'2017-06-02' is a date without a zone in a column that began with a number"),
        (["2017-06-02 10:00", "2017-06-02 10:00Z"], "a date with a zone in a column that began with a date without"),
        (["2017-06-02", "2017-13-02"], f"'2017-13-02' {NEITHER}"),
        (["2017-06-02", "02.06.2017"], f"'02.06.2017' {NEITHER}"),
        (["2017-06-02", ""], f"'' {NEITHER}"),
        (["21:47:03", "21:47:04"], f"'21:47:03' {NEITHER}"),
    ],
)
def test_a_time_of_another_kind_is_named(times: list[str], complaint: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "user,item,t\n" + "".join(f"1,2,{time}\n" for time in times))
    line = 2 if times[0].startswith("21") else 3
    with pytest.raises(ValueError, match=rf"x\.csv, line {line}, column 3 \('t'\): value .*{re.escape(complaint)}"):
        Table(timestamp="t").read(path)


def test_a_date_is_no_rating(tmp_path: Path) -> None:
    message = ", line 2, column 3 ('r'): value '2017-06-02' is not a number; fix or remove the line"
    assert_refused(Table(rating="r"), tmp_path / "x.csv", "user,item,r\n1,2,2017-06-02\n", message)


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


COLUMNS = "expected 4 columns (user_id, item_id, rating, timestamp)"
DAT_COLUMNS = "expected 4 columns (userId, movieId, rating, timestamp)"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1\t2\tx\t4", ", line 3, column 3 ('rating'): value 'x' is not a number; fix or remove the line"),
        (
            "1\t2\t3\tnan",
            f", line 3, column 4 ('timestamp'): value 'nan' {NEITHER}; fix or remove the line",
        ),
        ("1\t2\t3\t", f", line 3, column 4 ('timestamp'): value '' {NEITHER}; fix or remove the line"),
        (
            "1\t2\t1e999\t4",
            ", line 3, column 3 ('rating'): value '1e999' is not a number; fix or remove the line",
        ),
        ("1\t\t3\t4", ", line 3, column 2 ('item_id'): the id is empty; fix or remove the line"),
        (
            "1\t2\t3",
            f", line 3: {COLUMNS}, found 3: column 4 ('timestamp') is missing; fix or remove the line",
        ),
        (
            "1\t2\t3\t4\t5",
            f", line 3: {COLUMNS}, found 5: column 5 ('5') is surplus; fix or remove the line",
        ),
    ],
)
def test_a_malformed_line_of_an_atomic_file_is_named(row: str, message: str, tmp_path: Path) -> None:
    text = f"{INTER}1\t2\t3\t4\n{row}\n1\t2\ty\t4\n"
    assert_refused(AtomicFile(), tmp_path / "x.inter", text, message)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1::2::3:4", f"line 3: {DAT_COLUMNS}, found 3: column 4 ('timestamp') is missing"),
        ("1:x:2::3::4", f"line 3: {DAT_COLUMNS}, found 3: column 4 ('timestamp') is missing"),
        ("1::2::3::now", f"line 3, column 4 ('timestamp'): value 'now' {NEITHER}"),
        ("::2::3::4", "line 3, column 1 ('userId'): the id is empty"),
    ],
)
def test_a_malformed_line_between_double_colons_is_named(row: str, message: str, tmp_path: Path) -> None:
    text = f"1::2::3::4\n\n{row}\n"
    assert_refused(MovieLensRatings(), tmp_path / "ratings.dat", text, f", {message}; fix or remove the line")


def test_a_line_number_counts_lines_not_rows_where_fields_are_quoted(tmp_path: Path) -> None:
    text = 'user,item,t\n"a,b",1,2\n\nc,1,"x"\n'
    message = f", line 4, column 3 ('t'): value 'x' {NEITHER}; fix or remove the line"
    assert_refused(Table(timestamp="t"), tmp_path / "x.csv", text, message)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"user,item\na,1\n\xff,2\n")
    with pytest.raises(ValueError, match=r"x\.csv, line 3, column 1 \('user'\): value .* is not UTF-8"):
        Table().read(tmp_path / "x.csv")
    (tmp_path / "x.txt").write_bytes(b"1 2\n1 \xff\n")
    with pytest.raises(ValueError, match=r"x\.txt, line 2: not UTF-8 text"):
        SequenceText().read(tmp_path / "x.txt")


def test_a_missing_column_is_named_with_what_there_is(tmp_path: Path) -> None:
    message = ": there is no column 'user', only 'uid', 'item'; say which it is with data.reader.user=NAME"
    assert_refused(Table(), tmp_path / "x.csv", "uid,item\n1,2\n", message)
    quoted = ": there is no column 'user', only 'Käufer ID', 'item'; say which it is with 'data.reader.user=\"NAME\"'"
    assert_refused(Table(), tmp_path / "x.csv", "Käufer ID,item\n1,2\n", quoted)


@pytest.mark.parametrize("name", ["u.data", "x.csv", "x.inter", "x.txt", "x.txt.gz"])
def test_an_empty_file_is_refused(name: str, tmp_path: Path) -> None:
    reader = {"u.data": MovieLensRatings(), "x.csv": Table(), "x.inter": AtomicFile()}.get(name, SequenceText())
    with pytest.raises(ValueError, match=re.escape(name)):
        reader.read(write(tmp_path / name, ""))


def test_a_file_with_only_a_header_is_refused(tmp_path: Path) -> None:
    assert_refused(AtomicFile(), tmp_path / "x.inter", INTER, " holds no rows")


@pytest.mark.parametrize("name", ["x.txt.gz", "x.csv.gz"])
def test_a_truncated_gzip_file_is_refused(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, "user,item\n" + "".join(f"{i},{i * i}\n" for i in range(50000)))
    path.write_bytes(path.read_bytes()[:-1000])
    reader = Table() if ".csv" in name else SequenceText()
    with pytest.raises(ValueError, match=re.escape(f"{path} is not a complete gzip file")):
        reader.read(path)


def test_an_atomic_file_without_ratings_and_times(tmp_path: Path) -> None:
    path = write(tmp_path / "x.inter", "item_id:token\tuser_id:token\n5\tann\n")
    assert AtomicFile().read(path).to_dict("list") == {"user": ["ann"], "item": [5]}
    with pytest.raises(ValueError, match=r"no column 'time', only 'item_id', 'user_id'.*timestamp=NAME"):
        AtomicFile(timestamp="time").read(path)


def test_ragged_fields_of_an_atomic_file(tmp_path: Path) -> None:
    text = (
        "item_id:token\tname:token_seq\tvec:float_seq\tyear:token\tprice:float\n"
        '1\tA "quoted" name\t0.5 -1 2e3\t1995\t2.5\n'
        "2\t\t\t\t\n"
    )
    frame = read_atomic(write(tmp_path / "x.item", text))
    assert frame["item_id"].tolist() == [1, 2]
    assert frame["name"].tolist() == [["A", '"quoted"', "name"], []]
    assert [vector.tolist() for vector in frame["vec"]] == [[0.5, -1.0, 2000.0], []]
    assert frame["year"].tolist() == ["1995", ""]
    assert frame["price"].tolist()[0] == 2.5
    assert np.isnan(frame["price"][1])


@pytest.mark.parametrize(
    ("kind", "field"), [("float_seq", "1 x 2"), ("float_seq", "1 2_0"), ("float", "1 2"), ("float", "nan")]
)
def test_a_bad_number_of_an_atomic_file_is_named(kind: str, field: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.item", f"item_id:token\tvec:{kind}\n1\t1\n2\t{field}\n")
    with pytest.raises(ValueError, match=r"x\.item, line 3, column 2 \('vec'\): value '.*' is not a number"):
        read_atomic(path)


@pytest.mark.parametrize("field", ["name", "name:text", ":token"])
def test_a_header_without_types_is_refused(field: str, tmp_path: Path) -> None:
    message = f", line 1, column 2 ({field!r}): a column must be named NAME:TYPE"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_atomic(write(tmp_path / "x.item", f"item_id:token\t{field}\n1\t2\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:token\tb:float\ta:float\n1\t2\t3\n", "line 1, column 3 ('a:float'): there is a column 'a' before it"),
        ("user_id:token,item_id:token\n1,2\n", "line 1, column 1 ('user_id:token,item_id:token'): a column must be"),
        ("item_id:token\tb:float\n1\t2\n\t2\n", "line 3, column 1 ('item_id'): the id is empty"),
        ("item_id:token\tb:token\n1\t2\n2\tx\0\n", "line 3, column 2 ('b'): value 'x\\x00' holds a NUL byte"),
    ],
)
def test_what_an_atomic_file_cannot_mean_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape(f"x.item, {message}")):
        read_atomic(write(tmp_path / "x.item", text))


@pytest.mark.parametrize("name", ["x.txt", "x.txt.gz"])
def test_both_layouts_of_sequence_text_give_the_same_sequences(name: str, tmp_path: Path) -> None:
    rows = SequenceText().read(write(tmp_path / name, "1 7 8\n2 9\n\n1\t7  9 \r\n"))
    pairs = SequenceText().read(write(tmp_path / name, "1 7\n1 8\n2 9\n1 7\n1 9"))
    assert rows.to_dict("list") == {"user": [1, 1, 2, 1, 1], "item": [7, 8, 9, 7, 9]}
    pd.testing.assert_frame_equal(rows, pairs)


def test_sequence_text_of_names(tmp_path: Path) -> None:
    frame = SequenceText().read(write(tmp_path / "x.txt", "ann x1 x2\nbob x1\n"))
    assert frame.to_dict("list") == {"user": ["ann", "ann", "bob"], "item": ["x1", "x2", "x1"]}


def test_a_user_without_items_is_named(tmp_path: Path) -> None:
    message = ", line 3, column 1 (user): user '5' has no items; add some or remove the line"
    assert_refused(SequenceText(), tmp_path / "x.txt", "1 2\n\n5\n", message)


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


def test_a_table_of_another_name_is_told_of_atomic_files(tmp_path: Path) -> None:
    path = write(tmp_path / "x.inter", "user_id:token\titem_id:token\n1\t2\n")
    with pytest.raises(ValueError, match=r"x\.inter: a table's name must end in .*choose data=atomic for RecBole's"):
        Table().read(path)
