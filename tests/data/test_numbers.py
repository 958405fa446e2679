"""Large files of numbers: read in parts, or left to those who read text."""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recsys.data.sources import Table, numbers
from recsys.data.sources.arrow_text import DelimitedText
from recsys.data.sources.delimited import read_interactions
from recsys.data.sources.numbers import read_numbers
from recsys.kernels.library import library

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler")

COLUMNS = {"user": "u", "item": "i", "rating": "r", "timestamp": "t"}
FIELD = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(-99, 99).map(str),
    st.sampled_from(
        ["007", "-0", "0", "0x1F", " 7", "7 ", "+5", "", "NA", "1e3", "B0", '"7"', "1.0", "00", "-07", "9" * 19]
    ),
    st.sampled_from(["2017-06-02", "nan", "inf", "true", "a,b", '"a\nb"', "é"]),
)
PLAIN = st.tuples(st.integers(-50, 50), st.integers(0, 10**12), st.integers(1, 10), st.integers(0, 2**31)).map(
    lambda row: f"{row[0]},{row[1]},{row[2] / 2 if row[2] % 2 else row[2] // 2},{row[3]}"
)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "PART", 40)


def of(path: Path, *, has_header: bool = True) -> DelimitedText:
    return DelimitedText(path, ",", list(COLUMNS.values()), has_header=has_header, quoted=True)


def found(text: DelimitedText) -> pd.DataFrame | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbers, "COMPILED_FROM", 0)
        return read_numbers(text, COLUMNS)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(PLAIN, min_size=1), end=st.sampled_from(["", "\n", "\r\n"]), header=st.booleans())
def test_numbers_are_read_as_text_is(rows: list[str], end: str, header: bool, tmp_path: Path) -> None:
    between = end or "\n"
    lines = ["u,i,r,t", *rows] if header else rows
    (tmp_path / "x.csv").write_bytes((between.join(lines) + end).encode())
    text = of(tmp_path / "x.csv", has_header=header)
    frame = found(text)
    assert frame is not None
    pd.testing.assert_frame_equal(frame, read_interactions(text, COLUMNS))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(PLAIN),
    odd=st.one_of(
        st.lists(FIELD, min_size=1, max_size=5).map(",".join), st.text('0123456789,.- \t\r\n"x', max_size=20)
    ),
)
@example(rows=["1,2,3,4"], odd="007,1,1,1")
@example(rows=["1,2,3,4"] * 30, odd="")
@example(rows=[], odd="5,0,1,2017-06-02")
def test_anything_else_is_left_to_text_or_comes_out_alike(rows: list[str], odd: str, tmp_path: Path) -> None:
    half = len(rows) // 2
    (tmp_path / "x.csv").write_text("\n".join(["u,i,r,t", *rows[:half], odd, *rows[half:]]) + "\n")
    text = of(tmp_path / "x.csv")
    frame = found(text)
    if frame is not None:
        pd.testing.assert_frame_equal(frame, read_interactions(text, COLUMNS))


@pytest.mark.parametrize(
    "content",
    [
        "u,i,r,t\n",
        "u,i,r,t\n1,2,3,4\n\n1,2,3,4\n",  # an empty line
        "u,i,r,t\n1,2,3,4\n1,2,3\n",
        "u,i,r,t\n007,2,3,4\n",
        "u,i,r,t\n1,2,3,4\n1,2,inf,4\n",
        "u,i,r,t\n1,2,3,4\n1,,3,4\n",
        "u,i,r,t\n1,a,3,4\n",
        'u,i,r,t\n1,"2",3,4\n',
        "u,i,r,t\n" + "1,2,3,4\n" * 30 + "1,2,3,4.5\n",  # seconds, then parts of one
        "u,i,r,t\r1,2,3,4\n1,2,3,4\n",  # a header that ends as no other line does
        "u,i,r,t\n1,2,3,4\r1,2,3,4\n",
        "u,i,r,t\n1,2,-0,4\n",
    ],
)
def test_what_needs_a_second_look_is_left_to_text(content: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(content)
    assert found(of(tmp_path / "x.csv")) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(others=st.lists(st.text('a7,-.\r"', max_size=6), min_size=1, max_size=4))
def test_columns_that_nobody_asks_for_hold_anything_that_text_may(others: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("".join(f"{other},1,2,3,4\n" for other in others), newline="")
    text = DelimitedText(tmp_path / "x.csv", ",", ["?", *COLUMNS.values()], has_header=False, quoted=True)
    frame = found(text)
    if frame is not None:
        pd.testing.assert_frame_equal(frame, read_interactions(text, COLUMNS))


@pytest.mark.parametrize(
    "columns", [{"user": "u", "item": "u"}, {"user": "u", "item": "i", "rating": "t", "timestamp": "t"}]
)
def test_a_column_in_two_roles_is_left_to_text(columns: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "COMPILED_FROM", 0)
    (tmp_path / "x.csv").write_text("u,i,r,t\n1,2,3,4\n")
    assert read_numbers(of(tmp_path / "x.csv"), columns) is None
    frame = read_interactions(of(tmp_path / "x.csv"), columns)
    assert frame.iloc[0].tolist() == [{"u": 1, "i": 2, "t": 4}[name] for name in columns.values()]


def test_small_and_gzipped_files_and_those_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.csv").write_text("u,i,r,t\n1,2,3,4\n")
    (tmp_path / "x.csv.gz").write_text("u,i,r,t\n1,2,3,4\n")
    assert read_numbers(of(tmp_path / "x.csv"), COLUMNS) is None
    assert found(of(tmp_path / "x.csv")) is not None
    assert found(of(tmp_path / "x.csv.gz")) is None
    monkeypatch.setattr("recsys.kernels.library.library", lambda: None)
    assert found(of(tmp_path / "x.csv")) is None


def test_a_reader_takes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "COMPILED_FROM", 0)
    monkeypatch.setattr("recsys.data.sources.delimited.read_arrow", lambda *_: pytest.fail("read as text"))
    (tmp_path / "x.tsv").write_text("t\tuser\titem\n5\t1\t20\n4\t1\t10\n")
    frame = Table(timestamp="t").read(tmp_path / "x.tsv")
    assert frame.to_dict("list") == {"user": [1, 1], "item": [20, 10], "timestamp": [5, 4]}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=st.lists(st.tuples(st.integers(1 - 10**15, 10**15 - 1), st.integers(0, 14)), min_size=1))
def test_fractions_are_the_nearest_doubles(cases: list[tuple[int, int]], tmp_path: Path) -> None:
    written = [f"{Decimal(digits).scaleb(-behind):f}" for digits, behind in cases]
    (tmp_path / "x.csv").write_text("".join(f"1,2,{rating},4\n" for rating in written))
    frame = found(of(tmp_path / "x.csv", has_header=False))
    plain = all(len(rating.strip("-").replace(".", "")) <= 15 for rating in written)
    assert (frame is not None) == plain
    if frame is not None:
        assert frame["rating"].tolist() == [float(rating) for rating in written]


def test_other_columns_and_long_delimiters(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("7::Some, words::x::-3::5::9\n" * 9)
    text = DelimitedText(tmp_path / "ratings.dat", "::", ["u", "?", "!", "i", "r", "t"], has_header=False, quoted=False)
    frame = found(text)
    assert frame is not None
    pd.testing.assert_frame_equal(frame, read_interactions(text, COLUMNS))
    assert frame.loc[8].tolist() == [7, -3, 5, 9]
    (tmp_path / "ratings.dat").write_text("7::Some: words::x::-3::5::9\n" * 9)
    assert found(text) is None
