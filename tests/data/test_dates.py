"""Times of a table: numbers, dates, and what is neither."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from written import NO_TIME, assert_refused, write

from recsys.data.sources import Table


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
        (["2017-06-02", "2017-13-02"], f"'2017-13-02' {NO_TIME}"),
        (["2017-06-02", "02.06.2017"], f"'02.06.2017' {NO_TIME}"),
        (["2017-06-02", ""], f"'' {NO_TIME}"),
        (["21:47:03", "21:47:04"], f"'21:47:03' {NO_TIME}"),
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
