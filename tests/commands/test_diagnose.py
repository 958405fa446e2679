"""`recsys diagnose`: a run trained with hidden positives, asked about them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.commands.cli import main

TRAIN = (
    "train",
    "data=csv",
    "data.path=tiny.csv",
    "data.reader.timestamp=timestamp",
    "data.reader.rating=rating",
    "max_length=10",
    "model.dim=8",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
)
SPLIT = ("split=hidden_positives", "split.hidden=0.4")


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ratings of 30 users in `tiny.csv`, who like the items below 15 and dislike the others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user}", int(item), 5 if item < 15 else 1, step)
        for user in range(30)
        for step, item in enumerate(rng.permutation(25)[: rng.integers(14, 20)])
    ]
    pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"]).to_csv("tiny.csv", index=False)


def found(run: str) -> dict:
    return json.loads(Path(run, "diagnosis.json").read_text())


def test_losses_with_and_without_a_probability(capsys: pytest.CaptureFixture) -> None:
    for loss in ("bce", "bpr"):
        assert main([*TRAIN, *SPLIT, f"loss={loss}", f"output_dir=study/{loss}"]) == 0
    assert main([*TRAIN, "loss=ce", "output_dir=study/ce"]) == 0
    capsys.readouterr()
    assert main(["diagnose", "run=study", "moments=3"]) == 0
    captured = capsys.readouterr()
    assert "missing" in captured.out
    assert "study/ce was not trained with hidden positives" in captured.err
    assert not Path("study/ce/diagnosis.json").exists()
    bce, bpr = found("study/bce"), found("study/bpr")
    assert set(bce["ece"]) == set(bce["reliability"]) == {"next", "liked"}
    assert Path("study/bce/reliability.png").stat().st_size > 1000
    assert (bpr["ece"], Path("study/bpr/reliability.png").exists()) == ({}, False)
    assert bce["negatives"] == bpr["negatives"]  # of the same sampler, from the same seed
    per_user = pd.read_parquet("study/bpr/diagnosis_per_user.parquet")
    assert set(per_user["user"]) <= {f"u{user}" for user in range(30)}
    assert per_user["missing_over_disliked"].mean() == pytest.approx(bpr["auc"]["missing_over_disliked"])


def test_a_model_that_knows_what_is_liked_ranks_the_missing_first() -> None:
    """Nobody trains on the disliked items, so popularity tells them from those that are missing."""
    classical = [argument for argument in TRAIN if not argument.startswith("model.")]
    assert main([*classical, *SPLIT, "model=pop", "output_dir=pop"]) == 0
    assert main(["diagnose", "run=pop"]) == 0
    record = found("pop")
    assert record["auc"]["missing_over_disliked"] == 1
    assert (record["negatives"], record["ece"]) == (None, {})


def test_twice_gives_the_same_digits() -> None:
    assert main([*TRAIN, *SPLIT, "loss=ce", "output_dir=run"]) == 0
    assert main(["diagnose", "run=run"]) == 0
    shutil.copy("run/diagnosis.json", "first.json")
    assert main(["diagnose", "run=run"]) == 0
    assert Path("first.json").read_text() == Path("run/diagnosis.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "run is required: recsys diagnose run=DIRECTORY"),
        (("run=nowhere",), "nowhere is not a directory"),
        (("run=empty",), "empty holds no finished run; give a run's directory"),
        (("run=empty", "moments=0"), "moments (0) must be a whole number of at least 1"),
        (("run=empty", "moment=2"), "moment: unknown key of diagnose; did you mean moments?"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture) -> None:
    Path("empty").mkdir()
    assert main(["diagnose", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_run_of_another_split_is_refused(capsys: pytest.CaptureFixture) -> None:
    assert main([*TRAIN, "output_dir=run"]) == 0
    assert main(["diagnose", "run=run"]) == 2
    assert "run was not trained with hidden positives, so nothing is known to be missing" in capsys.readouterr().err
