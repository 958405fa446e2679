"""`logger=...`: hyper-parameters, epochs and the test result reach it; a missing package is one sentence."""

import json
from pathlib import Path

import pandas as pd
import pytest
import pytorch_lightning
from omegaconf import OmegaConf

from recsys.commands.cli import main

TINY = (
    "train",
    "data=csv",
    "data.name=tiny",
    "data.path=tiny.csv",
    "max_length=10",
    "model.dim=8",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
)


pytestmark = pytest.mark.usefixtures("workplace")


def the_run() -> tuple[Path, dict]:
    (file,) = Path("outputs").rglob("run.json")
    return file.parent, json.loads(file.read_text())


def test_tensorboard_gets_epochs_config_and_test_result() -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert main([*TINY, "logger=tensorboard"]) == 0
    run, record = the_run()
    assert run.parts[-2].startswith("sasrec-ce,max_length=10")
    assert "logger" not in run.parts[-2]
    events = accumulator.EventAccumulator(str(run / "tensorboard")).Reload()
    epochs = pd.read_csv(run / "metrics.csv")
    assert [event.value for event in events.Scalars("val/ndcg@10")] == pytest.approx(epochs["val/ndcg@10"].tolist())
    (test,) = events.Scalars("test/ndcg@10")
    assert test.value == pytest.approx(record["metrics"]["test/ndcg@10"])
    assert test.step == events.Scalars("val/ndcg@10")[-1].step == events.Scalars("train/loss")[-1].step
    assert OmegaConf.load(run / "tensorboard/hparams.yaml").model.dim == 8


def test_a_run_with_another_logger_is_the_same_run(capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("tensorboard")
    assert main([*TINY]) == 0
    assert main([*TINY, "logger=tensorboard"]) == 0
    assert "already finished" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_missing_package_is_one_sentence(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    module = getattr(pytorch_lightning.loggers, name)
    monkeypatch.setattr(module, f"_{name.upper()}_AVAILABLE", False)
    assert main([*TINY, f"logger={name}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"recsys: error: logger={name} needs a package that is not installed: pip install -c ")
    assert f"[{name}]" in said
    assert not list(Path("outputs").rglob("metrics.csv"))


def test_wandb_offline_gets_a_run_for_each_job_of_a_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="needs the extra `wandb`")
    monkeypatch.setenv("WANDB_SILENT", "true")
    assert main([*TINY, "-m", "seed=0,1", "logger=wandb", "logger.offline=true"]) == 0
    runs = sorted(Path("outputs").rglob("run.json"))
    assert [run.parent.name for run in runs] == ["seed0", "seed1"]
    for run in runs:
        (logged,) = run.parent.glob("wandb/offline-run-*/run-*.wandb")
        assert b"test/ndcg@10" in logged.read_bytes()


def test_mlflow_gets_epochs_config_and_test_result() -> None:
    mlflow = pytest.importorskip("mlflow", reason="needs the extra `mlflow`")
    assert main([*TINY, "logger=mlflow"]) == 0
    _, record = the_run()
    client = mlflow.MlflowClient("sqlite:///outputs/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("scratch").experiment_id])
    assert run.data.metrics["test/ndcg10"] == pytest.approx(record["metrics"]["test/ndcg@10"])  # it takes no @
    assert len(client.get_metric_history(run.info.run_id, "val/ndcg10")) == 2
    assert run.data.params["model/dim"] == "8"
    assert run.info.status == "FINISHED"
