"""The scripts of experiments/recbole_zoo: what they keep, and which models they take."""

import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]


def test_failures_of_other_models_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    record = import_module("experiments.recbole_zoo.run").record_failures
    file = tmp_path / "failures.csv"
    record(file, {name: {"model": name, "reason": "broken"} for name in ("BPR", "NARM", "HGN")})
    record(file, {"NARM": None, "HGN": {"model": "HGN", "reason": "slow"}})
    assert pd.read_csv(file).to_numpy().tolist() == [["BPR", "broken"], ["HGN", "slow"]]
    record(file, {"BPR": None, "HGN": None})
    record(file, {"NARM": None})
    assert pd.read_csv(file).empty
    assert list(tmp_path.iterdir()) == [file]


def test_a_model_that_recbole_has_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setattr(sys, "argv", ["models.py", "--models", "Foo"])
    with pytest.raises(SystemExit, match="2"):
        import_module("experiments.recbole_zoo.models").main()
    assert "invalid choice: 'Foo'" in capsys.readouterr().err
