"""`recsys folds` end to end: every fold's predictions as one result."""

import json
from pathlib import Path

import pandas as pd
import pytest

from recsys.commands.cli import main

TINY = (
    "data=csv",
    "data.name=tiny",
    "data.path=tiny.csv",
    "data.reader.timestamp=timestamp",
    "model=itemknn",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "study=s",
)


pytestmark = pytest.mark.usefixtures("workplace")


def train(split: str) -> list[str]:
    assert main(["train", *TINY, "-m", f"split={split}", "split.num_folds=3", "split.fold=0,1,2"]) == 0
    return [str(path.parent) for path in sorted(Path("outputs/s/tiny").glob("*/seed0/run.json"))]


def the_result() -> tuple[Path, dict]:
    (path,) = Path("outputs/s/tiny").glob("*,folds/seed0")
    return path, json.loads((path / "run.json").read_text())


@pytest.mark.parametrize("split", ["interaction_folds", "user_folds"])
def test_all_folds_together_are_one_result(split: str) -> None:
    runs = train(split)
    assert main(["folds", *runs, "bag=true"]) == 0
    path, record = the_result()
    per_user = pd.read_parquet(path / "per_user.parquet")
    assert sorted(per_user["user"]) == sorted(f"u{user}" for user in range(40))
    parts = pd.concat(pd.read_parquet(Path(run, "per_user.parquet")) for run in runs)
    expected = parts.groupby("user")["ndcg@10"].mean().mean()
    assert record["metrics"]["test/ndcg@10"] == pytest.approx(expected)
    assert per_user["ndcg@10"].mean() == pytest.approx(expected)
    top = pd.read_parquet(path / "topk_test.parquet")
    assert set(top["fold"]) == {0, 1, 2}
    history = pd.read_csv("tiny.csv").groupby("user")["item"].agg(set)
    asked = top.groupby("user")["fold"].nunique()
    assert set(asked) == ({3} if split == "interaction_folds" else {1})
    bagged = pd.read_parquet(path / "topk_bagged.parquet")
    assert set(bagged["user"]) == set(history.index)
    assert not any(row.item in history[row.user] for row in bagged.itertuples())


def test_the_result_stands_in_the_report_and_is_known_again(capsys: pytest.CaptureFixture) -> None:
    runs = train("user_folds")
    assert main(["folds", *runs]) == 0
    capsys.readouterr()
    assert main(["folds", *runs, "note=again"]) == 0
    assert "already finished" in capsys.readouterr().out
    assert main(["report", "outputs/s"]) == 0
    assert pd.read_csv("outputs/s/report/table.csv")["name"].str.endswith(",folds").sum() == 1


def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture) -> None:
    def said(*argv: str) -> str:
        assert main(["folds", *argv]) == 2
        return capsys.readouterr().err

    runs = train("user_folds")
    assert main(["train", *TINY, "output_dir=plain"]) == 0
    folds = ("split=user_folds", "split.num_folds=3")
    assert main(["train", *TINY, "output_dir=other", *folds, "model.num_neighbours=3"]) == 0
    capsys.readouterr()
    assert "of 3 folds 2 is missing" in said(*runs[:2])
    assert "is no other fold of" in said(runs[1], "other")
    assert "model.num_neighbours is" in said(runs[1], "other")
    assert "plain is of a split without folds" in said(runs[0], "plain")
    assert "folds takes a run of each fold, got 1" in said(runs[0])
