"""RecBole's models through the driver that runs all models."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch

from recsys.commands.cli import main

pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")

SHORT = ("trainer.max_epochs=2", "trainer.enable_progress_bar=false", "trainer.accelerator=cpu", "max_length=8")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A table of 24 users, as the override that names it; the working directory and the cache are empty ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rows = [(user, (user * step) % 20, step) for user in range(24) for step in range(1, 8)]
    pd.DataFrame(rows, columns=["user", "item", "time"]).to_csv("tiny.csv", index=False)
    return "data.path=tiny.csv"


def train(*overrides: str) -> int:
    return main(["train", *overrides, "data=csv", "data.reader.timestamp=time", *SHORT])


def records() -> dict[str, dict]:
    """run.json of every run, by RecBole's name of the model."""
    found = [json.loads(path.read_text()) for path in Path("outputs").rglob("run.json")]
    return {record["config"]["model"].get("name", "ours"): record for record in found}


def test_models_of_every_kind_leave_the_records_that_ours_leave(tiny: str) -> None:
    names = ["SASRec", "LightGCN", "NeuMF", "MultiVAE", "ItemKNN", "FM"]
    assert train("-m", "model=recbole", f"model.name={','.join(names)}", tiny, "study=zoo") == 0
    assert train("-m", "model=pop", tiny, "study=zoo") == 0
    assert set(records()) == {*names, "ours"}
    for name in names:
        record = records()[name]
        assert record["status"] == "finished"
        assert record["epochs"] == (1 if name == "ItemKNN" else 2)  # which is solved for
        assert set(record["metrics"]) == set(records()["ours"]["metrics"])


def test_a_failing_model_does_not_stop_a_sweep(tiny: str, capsys: pytest.CaptureFixture) -> None:
    assert train("-m", "model=recbole", "model.name=KGAT,BPR", tiny) == 2
    assert set(records()) == {"BPR"}
    assert "RecBole's KGAT reads a knowledge graph" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_digits_and_an_interrupted_run_goes_on(tiny: str) -> None:
    straight = [*("model=recbole", "model.name=SGL", tiny), "trainer.max_epochs=4"]
    assert main(["train", *straight, "data=csv", "data.reader.timestamp=time", *SHORT[1:], "output_dir=one"]) == 0
    first = torch.load("one/last.ckpt", weights_only=True)
    again = ["train", *straight[:-1], "data=csv", "data.reader.timestamp=time", *SHORT[1:], "output_dir=two"]
    assert main([*again, "trainer.max_epochs=2"]) == 0
    config = Path("two/config.yaml")
    config.write_text(config.read_text().replace("max_epochs: 2", "max_epochs: 4"))
    Path("two/run.json").unlink()  # as if it had been killed after its second epoch
    assert main([*again, "trainer.max_epochs=4"]) == 0
    resumed = torch.load("two/last.ckpt", weights_only=True)
    for name, value in first["state_dict"].items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(resumed["state_dict"][name], value, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("model.name=LightGCM",), "model.name (LightGCM) is no model of RecBole; did you mean LightGCN?"),
        (
            ("model.params.n_layers=3",),
            "model.params has none to set; +model.params.n_layers=... adds one where any is taken",
        ),
        (("model.name=SASRec", "+model.params.n_layer=3"), "did you mean model.params.n_layers?"),
        (
            ("model.name=BPR", "sampler=shared"),
            "RecBole's BPR needs negatives of each target's own; set sampler=uniform",
        ),
        (("model.name=BPR", "loss=ce"), "RecBoleModel takes no loss; leave out loss=..."),
        (
            ("model.name=NARM", "task=recbole_all_positions"),
            "RecBole's NARM cannot be trained at all positions at once",
        ),
        (("model.name=SASRecF",), "set task=recbole_attributes"),
        (("task=next_item",), "RecBoleModel is no QueryModel, as this task needs; leave out task=..."),
    ],
)
def test_a_mistake_is_one_sentence(
    overrides: tuple[str, ...], sentence: str, tiny: str, capsys: pytest.CaptureFixture
) -> None:
    assert train("model=recbole", *overrides, tiny) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not records()


def test_data_is_exported_by_a_verb(tiny: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["export-atomic", "out=toy", "data=csv", tiny, "data.reader.timestamp=time"]) == 0
    assert "dataset=toy" in capsys.readouterr().out
    assert sorted(path.name for path in Path("toy").iterdir()) == [
        "toy.inter",
        "toy.test.inter",
        "toy.train.inter",
        "toy.valid.inter",
    ]
    assert main(["export-atomic", "data=csv", tiny]) == 2
    assert "out is required: recsys export-atomic out=FOLDER" in capsys.readouterr().err
