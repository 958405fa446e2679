"""Faults of a file are named with their place, whatever reads it."""

import re
from pathlib import Path

import pytest
from written import INTER, NO_TIME, assert_refused, write

from recsys.data.sources import AtomicFile, MovieLensRatings, SequenceText, Table

COLUMNS = "expected 4 columns (user_id, item_id, rating, timestamp)"
DAT_COLUMNS = "expected 4 columns (userId, movieId, rating, timestamp)"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1\t2\tx\t4", ", line 3, column 3 ('rating'): value 'x' is not a number; fix or remove the line"),
        (
            "1\t2\t3\tnan",
            f", line 3, column 4 ('timestamp'): value 'nan' {NO_TIME}; fix or remove the line",
        ),
        ("1\t2\t3\t", f", line 3, column 4 ('timestamp'): value '' {NO_TIME}; fix or remove the line"),
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
        ("1::2::3::now", f"line 3, column 4 ('timestamp'): value 'now' {NO_TIME}"),
        ("::2::3::4", "line 3, column 1 ('userId'): the id is empty"),
    ],
)
def test_a_malformed_line_between_double_colons_is_named(row: str, message: str, tmp_path: Path) -> None:
    text = f"1::2::3::4\n\n{row}\n"
    assert_refused(MovieLensRatings(), tmp_path / "ratings.dat", text, f", {message}; fix or remove the line")


def test_a_line_number_counts_lines_not_rows_where_fields_are_quoted(tmp_path: Path) -> None:
    text = 'user,item,t\n"a,b",1,2\n\nc,1,"x"\n'
    message = f", line 4, column 3 ('t'): value 'x' {NO_TIME}; fix or remove the line"
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


def test_a_user_without_items_is_named(tmp_path: Path) -> None:
    message = ", line 3, column 1 (user): user '5' has no items; add some or remove the line"
    assert_refused(SequenceText(), tmp_path / "x.txt", "1 2\n\n5\n", message)


def test_a_table_of_another_name_is_told_of_atomic_files(tmp_path: Path) -> None:
    path = write(tmp_path / "x.inter", "user_id:token\titem_id:token\n1\t2\n")
    with pytest.raises(ValueError, match=r"x\.inter: a table's name must end in .*choose data=atomic for RecBole's"):
        Table().read(path)
