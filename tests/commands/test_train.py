"""`recsys train` end to end on a data set of a few users: what it writes, skips, refuses, resumes."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest
import torch
from grid import options
from pytorch_lightning import Callback, Trainer

from recsys.commands.cli import main

TINY = (
    "data=csv",
    "data.name=tiny",
    "data.reader.timestamp=timestamp",
    "max_length=10",
    "batch_size=16",
    "model.dim=8",
    "model.feedforward_dim=8",
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
)
RUN = Path("outputs/scratch/tiny")


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory with interactions of 40 users in `tiny.csv`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    rows = [(user, (user + step) % 20, step) for user in range(40) for step in range(rng.integers(4, 12))]
    pd.DataFrame(rows, columns=["user", "item", "timestamp"]).to_csv("tiny.csv", index=False)
    return tmp_path


def train(*overrides: str) -> int:
    return main(["train", *TINY, "data.path=tiny.csv", *overrides])


def records(root: Path = Path("outputs")) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(root.rglob("run.json"))]


def the_run() -> Path:
    (path,) = Path("outputs").rglob("run.json")
    return path.parent


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
    assert per_user["user"].tolist() == list(range(40))
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


def test_of_two_processes_that_are_asked_for_one_run_the_second_waits(capsys: pytest.CaptureFixture) -> None:
    assert train("output_dir=run") == 0
    written = Path("run/run.json").read_bytes()
    Path("run/run.json").rename("run.json")  # as if the first process were still at work
    capsys.readouterr()
    first = "from filelock import FileLock\nwith FileLock('run/.lock'): print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", first], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"held\n"
        second = Thread(target=train, args=["output_dir=run"])
        second.start()
        second.join(timeout=2)
        assert second.is_alive()
        Path("run.json").rename("run/run.json")
        process.stdin.close()  # the first one ends
        second.join()
    said = " ".join(capsys.readouterr().out.split())
    assert "another process is at work on this very run; waiting for it to end: run" in said
    assert "already finished, nothing to do" in said
    assert Path("run/run.json").read_bytes() == written


def test_force_with_a_mistake_leaves_the_finished_run_alone() -> None:
    assert train() == 0
    before = {path.name: path.stat().st_mtime_ns for path in the_run().iterdir()}
    assert train("force=true", "init.freeze=[nothing.like.it]") == 2
    assert {path.name: path.stat().st_mtime_ns for path in the_run().iterdir()} == before


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


def test_per_user_metrics_carry_the_users_own_ids() -> None:
    frame = pd.read_csv("tiny.csv")
    frame.assign(user="u" + frame["user"].astype(str)).to_csv("named.csv", index=False)
    assert train("data.path=named.csv") == 0
    per_user = pd.read_parquet(the_run() / "per_user.parquet")
    assert set(per_user["user"]) == {f"u{user}" for user in range(40)}


def test_ctrl_c_before_any_validation_says_that_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def press(self: Callback, *_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.callbacks.EpochLog.on_train_batch_start", press, raising=False)
    assert train() == 130
    assert "before the first epoch ended: nothing is kept" in capsys.readouterr().out
    assert not records()


def test_a_directory_of_another_config_is_refused(capsys: pytest.CaptureFixture) -> None:
    assert train("output_dir=outputs/here") == 0
    assert train("output_dir=outputs/here", "model.dim=16") == 2
    error = capsys.readouterr().err
    assert "holds a run of another config (model.dim is 8 there, 16 here)" in error
    assert records()[0]["config"]["model"]["dim"] == 8


HIGH_RATE = "optimizer.lr=0.5"  # at which the loss does not fall in every epoch
PLATEAU = ("scheduler=plateau", "scheduler.curve.patience=0", "scheduler.curve.threshold=0.1", "optimizer.lr=0.02")


@pytest.mark.parametrize(
    ("killed", "overrides"),
    [
        (2, ()),
        (3, ("trainer.max_epochs=5", *PLATEAU)),
        (2, ("scheduler=cosine", "scheduler.curve.warmup=2")),
        (3, ("trainer.max_epochs=4", "trainer.check_val_every_n_epoch=2")),
        (2, ("callbacks=[validate_if_improved,gradient_flow]", "scheduler=step", "scheduler.curve.every=1", HIGH_RATE)),
    ],
)
def test_a_killed_run_continues_as_if_it_had_never_stopped(
    killed: int, overrides: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train("study=straight", *overrides) == 0

    def die(self: Callback, trainer: Trainer, *_: object) -> None:
        if trainer.current_epoch == killed:
            raise OSError("the machine went down")

    with monkeypatch.context() as patch:
        patch.setattr("recsys.callbacks.EpochLog.on_train_batch_start", die, raising=False)
        with pytest.raises(OSError, match="went down"):
            train("study=resumed", *overrides)
    assert len(records()) == 1
    assert train("study=resumed", *overrides) == 0
    straight, resumed = sorted(records(), key=lambda record: record["study"] == "resumed")
    assert resumed["metrics"] == straight["metrics"]
    assert resumed["epochs"] == straight["epochs"] == straight["config"]["trainer"]["max_epochs"]
    logs = [pd.read_csv(path).drop(columns="seconds") for path in sorted(Path("outputs").rglob("metrics.csv"))]
    pd.testing.assert_frame_equal(*logs, check_exact=True)
    assert logs[0]["lr"].nunique() > 1
    for name in {path.name for path in Path("outputs").rglob("gradient_flow.csv")}:
        pd.testing.assert_frame_equal(*map(pd.read_csv, Path("outputs").rglob(name)), check_exact=True)


def test_an_epoch_that_did_not_improve_is_not_validated() -> None:
    assert train("trainer.max_epochs=5", "callbacks=validate_if_improved", HIGH_RATE, "scheduler=constant") == 0
    epochs = pd.read_csv(the_run() / "metrics.csv")
    improved = epochs["train/loss"] < epochs["train/loss"].cummin().shift(fill_value=np.inf)
    assert epochs["val/ndcg@10"].notna().tolist() == improved.tolist()
    assert not improved.all()
    (record,) = records()
    assert record["best_epoch"] == epochs["val/ndcg@10"].idxmax()


def weights(run: Path) -> dict[str, torch.Tensor]:
    return torch.load(run / "best.ckpt", weights_only=True)["state_dict"]


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


def test_ctrl_c_keeps_the_best_so_far_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def press(self: Callback, trainer: Trainer, *_: object) -> None:
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("recsys.callbacks.EpochLog.on_train_batch_start", press, raising=False)
    handler = signal.getsignal(signal.SIGINT)
    assert train() == 130
    assert signal.getsignal(signal.SIGINT) is handler
    assert "interrupted: epoch 0, the best so far, is kept" in capsys.readouterr().out
    (record,) = records()
    assert record["status"] == "interrupted"
    assert record["best_epoch"] == 0


def test_a_grid_ends_in_one_table(capsys: pytest.CaptureFixture) -> None:
    assert train("-m", "study=grid", "loss=bce,ce", "seed=range(0,2)", "trainer.max_epochs=1") == 0
    assert len(records(Path("outputs/grid"))) == 4
    table = capsys.readouterr().out.rpartition("mean ± deviation")[2]
    assert "sasrec-bce" in table
    assert "sasrec-ce" in table
    assert "±" in table


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (("model.dmi=3",), "model.dmi: unknown key"),
        (("model.dim=abc",), "model.dim ('abc') must be int"),
        (("model.dim=9",), "dim (9) must be divisible by num_heads (2)"),
        (("sampler=uniform", "sampler.num_negatives=0"), "num_negatives (0) must be at least 1"),
        (("data.path=nowhere.csv",), "nowhere.csv"),
        (("optimizer=adamm",), "optimizer=adamm: no such option"),
        (("optimizer.lr=-1.0",), "optimizer cannot be made: Invalid learning rate: -1.0"),
        (("scheduler=cosine", "scheduler.interval=batch"), "scheduler.interval ('batch') must be Literal"),
        (("scheduler=step", "scheduler.curve.every=0"), "every (0) must be at least 1"),
        (("monitor=val/ndcg@7",), "monitor (val/ndcg@7) must be what the task measures, one of val/hr@1"),
        (("trainer.gradient_clip_val=-1.0",), "trainer.gradient_clip_val (-1.0) must be above 0"),
        (("trainer.gradient_clip_algorithm=l3",), "trainer cannot be made: `gradient_clip_algorithm` l3 is invalid"),
        (("trainer.check_val_every_n_epoch=9",), "trainer.check_val_every_n_epoch (9) must be at most"),
        (("trainer.accelerator=abacus",), "trainer cannot be made: You selected an invalid accelerator"),
        (("callbacks.best.mode=up",), "callbacks cannot be made: `mode` can be"),
        (("init.freeze=[encoder.*]",), "init.freeze (encoder.*) matches no parameter; the names are embedding.weight"),
        (("init.freeze=['*']",), "init.freeze (*) freezes every parameter"),
        (("init=pretrained",), "init.source is required: pass init.source=..."),
        (("init=pretrained", "init.source=nowhere"), "init.source (nowhere): there is no nowhere"),
        (("data.min_user_items=500",), "min_user_items"),
        (("task=user_items",), "SASRec reads a user's items, and task=user_items shows none; set task=next_item"),
        (("sampler=full", "sampler/exclude=train"), "sampler/exclude: what was chosen as sampler has no exclude"),
        (
            ("sampler.num_negatives=5",),
            "sampler.num_negatives: unknown key; what was chosen as sampler has none to set",
        ),
        (("init.freeze=embedding.*",), "write 'init.freeze=[embedding.*]'"),
        (("model.num_heads=0",), "num_heads (0) must be at least 1; set model.num_heads=1 or more"),
        (("model.init_std=-1",), "model fails (RuntimeError"),
        (("max_length=0",), "max_length (0) must be at least 1; set max_length=1 or more"),
        (("model.max_length=0",), "the first step on a toy catalogue fails (RuntimeError: index_select"),
        (("task.datamodule.eval_batch_size=0",), "the first step on a toy catalogue fails (ValueError"),
        (
            ("scheduler=plateau", "scheduler.monitor=val/loss"),
            "scheduler.monitor (val/loss) must be what the task measures",
        ),
        (("trainer.limit_val_batches=0",), "trainer.limit_val_batches (0) must be above 0"),
        (("trainer.check_val_every_n_epoch=0",), "trainer.check_val_every_n_epoch (0) must be at least 1"),
    ],
)
def test_a_mistake_is_one_sentence_before_any_training(
    overrides: tuple[str, ...], named: str, capsys: pytest.CaptureFixture
) -> None:
    assert train(*overrides) == 2
    error = capsys.readouterr().err
    assert named in error
    assert error.count("\n") == 1
    assert not records()


def test_a_malformed_line_is_named_with_file_line_and_column(capsys: pytest.CaptureFixture) -> None:
    Path("bad.csv").write_text("user,item,timestamp\n1,2,3\n1,3,yesterday\n")
    assert train("data.path=bad.csv") == 2
    error = capsys.readouterr().err
    assert "bad.csv, line 3, column 3" in error
    assert "yesterday" in error


def test_a_user_with_too_few_items_is_named(capsys: pytest.CaptureFixture) -> None:
    Path("short.csv").write_text("user,item,timestamp\nann,2,1\nann,3,2\n")
    assert train("data.path=short.csv") == 2
    assert "user ann has 2 item(s)" in capsys.readouterr().err


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


@pytest.mark.parametrize("model", ["mf", "fpmc"])
@pytest.mark.parametrize("split", [("split=user_folds",), ("split=temporal", "split.ask_cold_users=true")])
def test_a_model_with_user_vectors_is_not_asked_for_users_it_never_met(
    model: str, split: tuple[str, ...], capsys: pytest.CaptureFixture
) -> None:
    new = "\n".join(f"{user},{item},{time}" for user in (98, 99) for item, time in ((1, 6), (2, 7), (3, 98), (4, 99)))
    Path("tiny.csv").write_text(Path("tiny.csv").read_text() + new + "\n")  # they come late
    own = ("data=csv", "data.path=tiny.csv", "data.reader.timestamp=timestamp", "trainer.max_epochs=1")
    assert main(["train", *own, f"model={model}", *split, "model.dim=8"]) == 2
    said = capsys.readouterr().err
    assert "knows each user by a vector, and the split (" in said
    assert "whom it never trains on" in said
    assert not list(Path("outputs").rglob("*.ckpt"))
    assert main(["train", *own, "model=multivae", *split, "model.hidden=[8]", "model.dim=4"]) == 0
