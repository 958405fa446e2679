"""`recsys data` prints the data's facts and the split's audit."""

from pathlib import Path

import pandas as pd
import pytest

from recsys.commands.cli import main


def test_data_and_split_are_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rows = [(user, (user + step) % 20, step) for user in range(40) for step in range(6)]
    pd.DataFrame(rows, columns=["user", "item", "time"]).to_csv("my.csv", index=False)
    given = ["data=csv", "data.path=my.csv", "data.reader.timestamp=time"]
    assert main(["data", *given]) == 0
    printed = capsys.readouterr().out
    assert "40 users, 20 items, 240 interactions, density 30.0000%" in printed
    assert "split: leave-one-out; equal timestamps in file order" in printed
    assert "Training events later than the earliest test target: 0." in printed
    assert "Test users without a training item: 0 of 40." in printed
    assert main(["data", *given, "split=ratio", "split/ties=item_id", "split.test=0.4"]) == 0
    assert "equal timestamps by item id" in capsys.readouterr().out
    capsys.readouterr()
    assert main(["data", "data=csv", "data.path=my.csv", "split=temporal"]) == 2
    assert "needs timestamps and csv has none" in capsys.readouterr().err


def test_the_short_form_with_licence_source_and_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "ml"
    folder.mkdir()
    rows = [(user, 1 + (user + step) % 20, 3, step) for user in range(40) for step in range(6)]
    (folder / "ratings.dat").write_text("".join("::".join(map(str, row)) + "\n" for row in rows))
    assert main(["data", "ml-10m", f"data.path={folder}"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "licence: research use; no redistribution" in printed
    assert "cite: F. M. Harper and J. A. Konstan" in printed
    assert f"source: {folder}" in printed
    assert "40 users, 20 items, 240 interactions" in printed
    assert "cold targets cold items" in printed
    assert (tmp_path / "outputs/data/ml-10m.png").stat().st_size > 10_000
    assert main(["data", "ml-11m"]) == 2
    assert "data=ml-11m: no such option" in capsys.readouterr().err


def test_a_cold_item_is_counted_in_its_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rows = [(user, item) for user in range(4) for item in (0, 1, 2, 3, 10 + user // 2)]  # last: two items, cold
    pd.DataFrame(rows, columns=["user", "item"]).to_csv("my.csv", index=False)
    assert main(["data", "csv", "data.path=my.csv"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["validation", "4", "0", "12", "4", "4", "1"] in lines
    assert ["test", "4", "0", "16", "4", "4", "2"] in lines


def test_seconds_are_told_as_dates_and_counters_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rows = [(user, (user + step) % 20, f"2017-06-0{1 + step}") for user in range(40) for step in range(6)]
    frame = pd.DataFrame(rows, columns=["user", "item", "time"])
    frame.to_csv("dates.csv", index=False, sep=";")
    given = ["csv", "data.reader.timestamp=time", "data.reader.delimiter=';'", "data.path=dates.csv"]
    assert main(["data", *given]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "timestamps 1496275200 to 1496707200 (2017-06-01 to 2017-06-06 UTC, taken as seconds since 1970)" in printed
    assert "items of a user 6 6 6 6 6 6 6 6.0" in printed
    frame.assign(time=range(240)).to_csv("counted.csv", index=False, sep=";")
    assert main(["data", *given[:-1], "data.path=counted.csv"]) == 0
    assert "timestamps 0 to 239, ties" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("argv", [["data", "--help"], ["rerun", "-h"], ["rerun", "outputs", "--help"]])
def test_help_of_verbs_that_take_overrides(argv: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: recsys {argv[0]} ")
