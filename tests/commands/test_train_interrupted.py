"""`recsys train` stopped on the way, and gone on with."""

import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest
from pytorch_lightning import Callback, Trainer
from tiny_training import records, the_run, train

pytestmark = pytest.mark.usefixtures("workplace")


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


def test_ctrl_c_before_any_validation_says_that_nothing_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def press(self: Callback, *_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.callbacks.EpochLog.on_train_batch_start", press, raising=False)
    assert train() == 130
    assert "before the first epoch ended: nothing is kept" in capsys.readouterr().out
    assert not records()


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
