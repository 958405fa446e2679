"""Pre-training and fine-tuning end to end: what a run writes, continues, hands on and refuses."""

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from pytorch_lightning import Callback, Trainer

from recsys.commands.cli import main

LOSSES = ["train/loss", "train/aap", "train/mip", "train/map", "train/sp"]
TINY = (
    "data=csv",
    "data.name=tiny",
    "data.path=tiny.csv",
    "max_length=10",
    "model=s3rec",
    "model.dim=8",
    "model.feedforward_dim=8",
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "study=s3",
)
GENRE = (
    "+data.attributes.genre._target_=recsys.data.attributes.AttributeFile",
    "+data.attributes.genre.reader._target_=recsys.data.attributes.ItemTable",
    "+data.attributes.genre.reader.value=genre",
)
PRETRAIN = ("task=s3_pretrain", "batch_size=32", *GENRE)


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory with interactions of 40 users in `tiny.csv` and genres of all films but one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    rows = [(user, (user + step) % 20) for user in range(40) for step in range(rng.integers(4, 12))]
    pd.DataFrame(rows, columns=["user", "item"]).to_csv("tiny.csv", index=False)
    genres = [(item, "odd" if item % 2 else "even") for item in [*range(19), 99]]
    pd.DataFrame(genres, columns=["item", "genre"]).to_csv("genres.tsv", sep="\t", index=False)
    return tmp_path


def train(*overrides: str) -> int:
    return main(["train", *TINY, *overrides])


def runs() -> dict[str, dict]:
    """Records by the name of the run's directory."""
    return {path.parents[1].name: json.loads(path.read_text()) for path in sorted(Path("outputs").rglob("run.json"))}


def folder(*, pretraining: bool) -> Path:
    (path,) = [
        path.parent
        for path in Path("outputs").rglob("run.json")
        if ("train/loss" in json.loads(path.read_text())["metrics"]) == pretraining
    ]
    return path


def weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "best.ckpt", weights_only=True)["state_dict"]


def test_a_pre_training_leaves_its_losses(capsys: pytest.CaptureFixture) -> None:
    assert train(*PRETRAIN, "trainer.max_epochs=6", "optimizer.lr=0.01") == 0
    printed = capsys.readouterr().out
    assert "genre: 2 values, 0.9 per item, 1 items without; left out: 1 items not in the data" in printed
    assert all(name in printed for name in LOSSES)
    run = folder(pretraining=True)
    epochs = pd.read_csv(run / "metrics.csv")
    assert set(LOSSES) <= set(epochs.columns)
    assert epochs[LOSSES].notna().all(axis=None)
    assert epochs["train/loss"].iloc[-1] < epochs["train/loss"].iloc[0]
    joint = epochs["train/aap"] * 0.2 + epochs["train/mip"] + epochs["train/map"] + epochs["train/sp"] * 0.5
    assert epochs["train/loss"].tolist() == pytest.approx(joint.tolist(), rel=1e-4)
    (record,) = runs().values()
    assert record["status"] == "finished"
    assert record["best_epoch"] == epochs["train/loss"].idxmin()
    assert record["metrics"] == pytest.approx(epochs.set_index("epoch").loc[record["best_epoch"], LOSSES].to_dict())
    assert set(record["fingerprints"]) == {"data", "split", "protocol", "attributes"}
    assert f"start from it: init=pretrained 'init.source=\"{run.resolve()}\"'" in printed
    assert record["baselines"] == {}
    assert (run / "learning_curve.png").stat().st_size > 1000


def test_fine_tuning_finds_its_pre_training_and_starts_there(capsys: pytest.CaptureFixture) -> None:
    assert train(*PRETRAIN) == 0
    capsys.readouterr()
    assert train("init=s3rec", "loss=bpr", "init.freeze=[embedding.*]") == 0
    printed = capsys.readouterr().out
    before, after = weights(folder(pretraining=True)), weights(folder(pretraining=False))
    ours = {name for name in before if name.startswith("model.")}
    assert f"first weights: {len(ours)} tensors of {folder(pretraining=True) / 'best.ckpt'}" in printed
    assert "mismatched" not in printed  # a table is for what does not fit
    assert {name for name in after if name.startswith("model.")} == ours  # the heads stay behind
    assert torch.equal(before["model.embedding.weight"], after["model.embedding.weight"])
    assert not torch.equal(before["model.norm.weight"], after["model.norm.weight"])
    assert "NDCG" in printed


def test_weights_that_would_mean_something_else_are_refused(capsys: pytest.CaptureFixture) -> None:
    assert train(*PRETRAIN) == 0
    assert train("init=s3rec", "model.num_heads=4") == 2
    assert "has another model (model.num_heads is 2 there, 4 here)" in capsys.readouterr().err
    assert train("init=s3rec", "model.dim=16") == 2
    assert "has other sizes (embedding.weight [22, 8] -> [22, 16]" in capsys.readouterr().err
    source = f"init.source='{folder(pretraining=True)}'"
    assert train("init=pretrained", source, "split=user_folds") == 2
    assert "was trained on another split of the same data" in capsys.readouterr().err


def test_a_refit_starts_from_the_checkpoint_that_its_run_started_from(capsys: pytest.CaptureFixture) -> None:
    assert train(*PRETRAIN) == 0
    assert train("init=s3rec", "output_dir=runs/seed0") == 0
    recorded = json.loads(Path("runs/seed0/run.json").read_text())["init"]
    assert recorded["source"] == str(folder(pretraining=True) / "best.ckpt")
    assert f"s3rec {recorded['source']}" in Path("outputs/ledger.csv").read_text()
    assert train(*PRETRAIN, "optimizer.lr=0.01") == 0  # now the study has two
    capsys.readouterr()
    assert main(["refit", "run=runs/seed0", "how=full"]) == 0
    assert recorded["source"] in capsys.readouterr().out


def test_without_its_pre_training_fine_tuning_says_so(capsys: pytest.CaptureFixture) -> None:
    assert train("init=s3rec") == 2
    assert "holds no finished pre-training; run one with task=s3_pretrain" in capsys.readouterr().err
    assert train(*PRETRAIN) == 0
    assert train("init=s3rec", "seed=1") == 2
    assert "has no pre-training of seed 1, only 0" in capsys.readouterr().err
    assert train("init=s3rec", "data.min_user_items=6") == 2
    assert "has another fingerprint" in capsys.readouterr().err
    assert train("init=s3rec", "init.study=elsewhere") == 2
    assert "outputs/elsewhere/tiny holds no finished pre-training" in capsys.readouterr().err


def test_a_killed_pre_training_continues_as_if_it_had_never_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert train(*PRETRAIN, "study=straight") == 0

    def die(self: Callback, trainer: Trainer, *_: object) -> None:
        if trainer.current_epoch == 2:
            raise OSError("the machine went down")

    with monkeypatch.context() as patch:
        patch.setattr("recsys.callbacks.EpochLog.on_train_batch_start", die, raising=False)
        with pytest.raises(OSError, match="went down"):
            train(*PRETRAIN, "study=resumed")
    assert train(*PRETRAIN, "study=resumed") == 0
    straight, resumed = (
        pd.read_csv(path).drop(columns="seconds") for path in sorted(Path("outputs").rglob("metrics.csv"))
    )
    pd.testing.assert_frame_equal(straight, resumed, check_exact=True)


def test_other_attributes_are_another_run_and_no_matter_to_others(capsys: pytest.CaptureFixture) -> None:
    assert train(*PRETRAIN) == 0
    assert train(*GENRE) == 0
    table = Path("genres.tsv")
    table.write_text(table.read_text().replace("odd", "old"))
    assert train(*PRETRAIN) == 2
    assert "holds a run of another config (attributes_fingerprint is" in capsys.readouterr().err
    assert train(*GENRE) == 0
    assert "already finished" in capsys.readouterr().out
    table.unlink()
    assert train(*GENRE) == 0  # nothing reads it
    assert train(*PRETRAIN) == 2
    assert "attribute genre: there is no genres.tsv or genres.csv in" in capsys.readouterr().err


@pytest.mark.filterwarnings("error:Callback")  # Hydra warns of what a callback raises, and goes on
def test_a_study_of_both_ends_in_one_table(capsys: pytest.CaptureFixture) -> None:
    assert train("-m", *PRETRAIN, "seed=range(0,2)") == 0
    table = capsys.readouterr().out
    assert "train/mip" in table
    assert train("-m", "init=s3rec", "loss=bce,bpr", "seed=range(0,2)", "trainer.max_epochs=1") == 0
    table = capsys.readouterr().out.rpartition("mean ± deviation")[2]
    assert "s3rec-bce" in table
    assert "kept apart" not in table
    assert len(pd.read_csv("outputs/s3/results.csv")) == 6


@pytest.mark.filterwarnings("error:Callback")
def test_a_study_of_pre_trainings_alone_ends_in_their_losses(capsys: pytest.CaptureFixture) -> None:
    weights = "task.module.weights.aap=0.1,0.4"
    assert train("-m", *PRETRAIN, weights, "seed=range(0,2)", "trainer.max_epochs=1") == 0
    table = capsys.readouterr().out.rpartition("pre-trainings: losses of the best epoch, mean over n seeds")[2]
    assert "test set" not in table
    results = pd.read_csv("outputs/s3/results.csv")
    assert results["seed"].to_list() == [0, 1, 0, 1]
    losses = results["train/loss"].to_list()
    for mean in (sum(losses[:2]) / 2, sum(losses[2:]) / 2):
        assert f" 2  {mean:.4f}" in table
    assert main(["report", "outputs/s3"]) == 2
    error = capsys.readouterr().err
    assert "outputs/s3 has no finished run that ranks; its 4 finished runs rank nothing (pre-training)" in error
    command = error.partition("recsys train ")[2].replace("model=...", "loss=ce")
    assert train(*shlex.split(command), "trainer.max_epochs=1") == 0


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (
            ("monitor=val/ndcg@10",),
            "monitor (val/ndcg@10) must be what the task measures, one of train/loss, train/aap",
        ),
        (("loss=bce",), "S3Rec takes no"),
        (
            ("callbacks=gradient_flow",),
            ".mode (max) would choose the worst train/loss; set it to min, or name callbacks=",
        ),
        (("+task.module.attribute_weights.director=1.0",), "attribute_weights (director) must name an attribute"),
        (("task.collator.mask_prob=2.0",), "mask_prob (2.0) must be from 0 to 1"),
        (("model=sasrec",), "SASRec is no S3Rec, as this task needs; leave out task=..."),
    ],
)
def test_a_mistake_is_one_sentence(overrides: tuple[str, ...], named: str, capsys: pytest.CaptureFixture) -> None:
    assert train(*PRETRAIN, *overrides) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("debug", ["fast", "overfit"])
def test_debug_modes_run(debug: str) -> None:
    assert train(*PRETRAIN, f"debug={debug}", *(["trainer.max_epochs=3"] if debug == "overfit" else [])) == 0


def test_gradients_can_be_looked_at() -> None:
    assert train(*PRETRAIN, "callbacks=[gradient_flow,lowest_loss]", "trainer.max_epochs=1") == 0
    table = pd.read_csv(folder(pretraining=True) / "gradient_flow.csv")
    assert {"embedding", "heads.tables.genre", "heads.segment"} <= set(table["layer"])


def test_as_released_runs() -> None:
    assert train(*PRETRAIN, "task.module.as_released=true") == 0
    (record,) = runs().values()
    assert 0.313 < record["metrics"]["train/mip"] < 1.314
