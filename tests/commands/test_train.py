"""`recsys train` end to end: what a run writes, finds again, starts from."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from grid import options
from pytorch_lightning import Callback, Trainer
from tiny_training import records, the_run, train, weights

from recsys.commands.cli import main

pytestmark = pytest.mark.usefixtures("workplace")


def test_a_run_leaves_everything_a_reader_needs(capsys: pytest.CaptureFixture) -> None:
    assert train() == 0
    printed = capsys.readouterr().out
    assert "pop" in printed
    assert "NDCG" in printed
    run, (record,) = the_run(), records()
    assert run.name == "seed0"
    assert record["status"] == "finished"
    assert record["epochs"] == 3
    assert record["config"]["model"]["dim"] == 8
    assert set(record["fingerprints"]) == {"data", "split", "protocol"}
    assert record["environment"]["packages"]["torch"] == torch.__version__.split("+")[0] or record["environment"]
    assert record["peak_memory_gb"] > 0
    assert record["audit"]["split"] == "leave-one-out; equal timestamps in file order"
    assert record["audit"]["cold_test_users"] == 0
    per_user = pd.read_parquet(run / "per_user.parquet")
    assert per_user["user"].tolist() == sorted(f"u{user}" for user in range(40))
    assert per_user["ndcg@10"].mean() == pytest.approx(record["metrics"]["test/ndcg@10"])
    epochs = pd.read_csv(run / "metrics.csv")
    assert epochs["epoch"].tolist() == [0, 1, 2]
    assert {"train/loss", "val/ndcg@10", "lr", "seconds"} <= set(epochs.columns)
    assert epochs["val/ndcg@10"].max() == pytest.approx(record["metrics"]["val/ndcg@10"], rel=1e-5)
    assert (run / "learning_curve.png").stat().st_size > 1000


def test_what_is_tested_is_the_best_epoch_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """The baseline loaded the best checkpoint, threw the result away and tested the last weights."""

    def spoil(self: Callback, trainer: Trainer, module: torch.nn.Module) -> None:
        if trainer.current_epoch == 2:
            for parameter in module.parameters():
                parameter.data.zero_()

    monkeypatch.setattr("recsys.callbacks.EpochLog.on_validation_start", spoil, raising=False)
    assert train("optimizer.lr=0.05", "scheduler=constant", "model.dropout=0.0", "monitor=val/hr@1") == 0
    (record,) = records()
    best = torch.load(the_run() / "best.ckpt", weights_only=True)
    assert record["best_epoch"] == best["epoch"] < 2
    epochs = pd.read_csv(the_run() / "metrics.csv")
    assert record["metrics"]["val/hr@1"] == pytest.approx(epochs["val/hr@1"].max(), rel=1e-5)
    assert epochs["val/hr@1"].iloc[-1] == 0 < record["metrics"]["val/hr@1"]


def test_the_same_seed_gives_the_same_digits_and_another_does_not() -> None:
    for study, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert train(f"study={study}", f"seed={seed}") == 0
    first, second, other = (pd.read_parquet(p) for p in sorted(Path("outputs").rglob("per_user.parquet")))
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert not first.equals(other)
    (a, b, _) = (record["metrics"] for record in records())
    assert a == b


def test_a_finished_run_is_reported_and_skipped(capsys: pytest.CaptureFixture) -> None:
    assert train() == 0
    written = (the_run() / "run.json").stat().st_mtime_ns
    capsys.readouterr()
    assert train() == 0
    assert "already finished" in capsys.readouterr().out
    assert (the_run() / "run.json").stat().st_mtime_ns == written


def test_force_runs_again() -> None:
    assert train() == 0
    written = (the_run() / "run.json").stat().st_mtime_ns
    assert train("force=true") == 0
    assert (the_run() / "run.json").stat().st_mtime_ns > written


def test_other_data_in_the_same_file_is_another_run(capsys: pytest.CaptureFixture) -> None:
    assert train() == 0
    lines = Path("tiny.csv").read_text().splitlines()
    Path("tiny.csv").write_text("\n".join(lines[:-20]))
    assert train() == 2
    assert "holds a run of another config (data_fingerprint is" in capsys.readouterr().err


def test_the_same_data_elsewhere_is_the_same_run(capsys: pytest.CaptureFixture) -> None:
    assert train() == 0
    Path("tiny.csv").rename("moved.csv")
    assert train("data.path=moved.csv") == 0
    assert "already finished" in capsys.readouterr().out


def test_a_run_is_the_same_whatever_the_size_of_its_evaluation_batches(capsys: pytest.CaptureFixture) -> None:
    assert train("output_dir=outputs/here") == 0
    assert train("output_dir=outputs/here", "task.datamodule.eval_batch_size=7") == 0
    assert "already finished" in capsys.readouterr().out


def test_per_user_metrics_carry_ids_that_are_numbers_too() -> None:
    frame = pd.read_csv("tiny.csv")
    frame.assign(user=frame["user"].str.removeprefix("u")).to_csv("numbered.csv", index=False)
    assert train("data.path=numbered.csv") == 0
    per_user = pd.read_parquet(the_run() / "per_user.parquet")
    assert per_user["user"].tolist() == list(range(40))


def test_a_run_starts_from_the_best_epoch_of_another_and_leaves_frozen_layers_alone(
    capsys: pytest.CaptureFixture,
) -> None:
    assert train("output_dir=outputs/one", "model.num_blocks=1") == 0
    capsys.readouterr()
    assert (
        train("output_dir=outputs/two", "init=pretrained", "init.source=outputs/one", "init.freeze=[embedding.*]") == 0
    )
    printed = capsys.readouterr().out
    shown = {line.split()[0]: line for line in printed.splitlines() if line.strip()}
    assert shown["loaded"].split()[1] == str(len(weights(Path("outputs/one"))))
    assert "transformer.blocks.1." in shown["missing"]
    assert shown["unexpected"].split()[1] == shown["mismatched"].split()[1] == "0"
    assert "frozen: embedding.weight" in printed
    one, two = weights(Path("outputs/one")), weights(Path("outputs/two"))
    assert torch.equal(one["model.embedding.weight"], two["model.embedding.weight"])
    assert not torch.equal(one["model.norm.weight"], two["model.norm.weight"])


def test_a_pretrained_model_that_does_not_move_scores_as_its_source() -> None:
    assert train("output_dir=outputs/one") == 0
    Path("outputs/one").rename("outputs/a,b=c")
    source = 'init.source="outputs/a,b=c/best.ckpt"'
    still = ("trainer.max_epochs=1", "optimizer.lr=0.0", "init=pretrained", source)
    assert train("output_dir=outputs/two", "seed=5", *still) == 0
    one, two = records()
    assert two["metrics"] == one["metrics"]


@pytest.mark.parametrize("clip", ["null", "1.0"])
@pytest.mark.parametrize("loss", ["ce", "bpr"])
@pytest.mark.parametrize("optimizer", options("optimizer"))
def test_every_optimiser_trains_under_the_trainer(
    optimizer: str, loss: str, clip: str, capsys: pytest.CaptureFixture
) -> None:
    refused = optimizer == "lazy_adam" and clip != "null"
    done = train(f"optimizer={optimizer}", f"loss={loss}", f"trainer.gradient_clip_val={clip}", "trainer.max_epochs=1")
    assert done == (2 if refused else 0)
    assert ("cannot clip the sparse gradients" in capsys.readouterr().err) == refused


def test_a_grid_ends_in_one_table(capsys: pytest.CaptureFixture) -> None:
    assert train("-m", "study=grid", "loss=bce,ce", "seed=range(0,2)", "trainer.max_epochs=1") == 0
    assert len(records(Path("outputs/grid"))) == 4
    table = capsys.readouterr().out.rpartition("mean ± deviation")[2]
    assert "sasrec-bce" in table
    assert "sasrec-ce" in table
    assert "±" in table


@pytest.mark.parametrize("debug", ["fast", "overfit"])
def test_debug_modes_run(debug: str) -> None:
    assert train(f"debug={debug}", *(["trainer.max_epochs=30"] if debug == "overfit" else [])) == 0
    (record,) = records()
    assert record["study"] == "debug"


def test_inspect_shows_mask_and_stages(capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", "model=sasrec"]) == 0
    printed = capsys.readouterr().out
    assert "Who sees whom in ranking: padding mask x" in printed
    assert "SelfAttention" in printed
    assert "[4, 64]" in printed
