"""The script of experiments/s3rec: mistakes end before anything runs, tables go where they are sent."""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
STUDY = ROOT / "experiments/s3rec"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Calls the script on runs below tmp_path/runs; a run that it would start fails the test."""
    monkeypatch.syspath_prepend(str(ROOT))
    script = import_module("experiments.s3rec.run")
    monkeypatch.setattr(script, "train", lambda *_, **__: pytest.fail("nothing should run"))

    def call(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["run.py", "--root", str(tmp_path / "runs"), *arguments])
        script.main()

    return call


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: give data: --lastfm, --beauty or --ml1m; or --report"),
        (["--ml1m", "x.txt", "--kinds", "bce", "smpled"], "has 'smpled'; they have: bce; ce; bpr"),
        (["--beauty", "x.txt", "--kinds", "bce"], "has 'bce'; they have: sampled; full, seen 0"),
        (["--lastfm", "x.txt"], "x.txt does not exist; give the data's file"),
    ],
)
def test_a_mistake_ends_before_anything_runs(
    arguments: list[str], message: str, study: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        study(*arguments)
    assert message in capsys.readouterr().err


def test_without_runs_nothing_is_written(
    study: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        study("--report", "--out", str(tmp_path / "tables"))
        assert f"{tmp_path / 'runs'} has no finished run: nothing is written" in capsys.readouterr().out
        (tmp_path / "runs").mkdir(exist_ok=True)
    assert not (tmp_path / "tables").exists()


def test_tables_go_where_they_are_sent(
    study: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {file: file.read_bytes() for file in STUDY.glob("*.csv")}
    tables = tmp_path / "new/tables"
    write_run(tmp_path / "runs/lastfm/pretraining", name="pre-training", metrics={"train/loss": 2.5})
    study("--report", "--out", str(tables))
    assert pd.read_csv(tables / "results.csv")["name"].to_list() == ["pre-training"]
    for seed, value in enumerate((0.1, 0.4, 0.2)):
        run = tmp_path / f"runs/lastfm/S3-Rec, bce/seed{seed}"
        write_run(run, name="S3-Rec, bce", seed=seed, metrics={"test/hr@10": value})
    capsys.readouterr()
    study("--report", "--out", str(tables))
    assert capsys.readouterr().out.split()[-5:] == ["lastfm", "S3-Rec,", "bce", "0.2", "3"]
    assert len(pd.read_csv(tables / "results.csv")) == 4
    assert len(pd.read_csv(tables / "losses.csv")) == 8
    assert {file: file.read_bytes() for file in STUDY.glob("*.csv")} == kept


def write_run(folder: Path, *, name: str, metrics: dict[str, float], seed: int = 0) -> None:
    """A finished run of two epochs on LastFM."""
    record = {"status": "finished", "name": name, "data": "lastfm", "seed": seed, "config": {}, "fingerprints": {}}
    record |= {"num_parameters": 1, "seconds": {}, "peak_memory_gb": None, "best_epoch": 0, "epochs": 2}
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record | {"metrics": metrics, "baselines": {}}))
    pd.DataFrame({"epoch": [0, 1], "seconds": [1, 2], "train/loss": [3.0, 2.5]}).to_csv(folder / "metrics.csv")
