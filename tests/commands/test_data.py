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
