"""RecBole's models through the driver that runs all models."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from recsys.commands.cli import main
from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.models.recbole import RecBoleModel
from recsys.tasks.recbole import RecBoleTraining

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
        (("model.name=SASRecCPR", "task=recbole_all_positions"), "RecBole's SASRecCPR cannot be trained at all"),
        (
            ("model.name=SASRec", "task=recbole_all_positions", "model.max_length=7"),
            "model.max_length (7) must be at least max_length (8)",
        ),
        (("model.name=BPR", "split=user_folds"), "RecBoleModel knows each user by a vector"),
        (("model.name=HGN", "split=user_folds"), "RecBoleModel knows each user by a vector"),
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


def run_of(name: str, *overrides: str) -> str:
    """A run trained on the working directory's table."""
    assert (
        train("model=recbole", f"model.name={name}", "data.path=tiny.csv", f"output_dir=runs/{name}", *overrides) == 0
    )
    return f"run=runs/{name}"


@pytest.mark.parametrize("name", ["FwFM", "NNCF"])
@pytest.mark.usefixtures("tiny")
def test_evaluate_says_what_the_run_said(name: str) -> None:
    run = run_of(name)
    assert main(["evaluate", run]) == 0
    said = json.loads(Path("runs", name, "run.json").read_text())["metrics"]
    found = json.loads(Path("runs", name, "evaluations.json").read_text())["evaluations"]["full"]["metrics"]
    assert {metric: said[metric] for metric in found} == found


@pytest.mark.usefixtures("tiny")
def test_newcomers_are_served_by_histories_and_refused_where_users_are_known(capsys: pytest.CaptureFixture) -> None:
    pd.DataFrame({"user": ["new"] * 3, "item": [1, 2, 3], "time": [1, 2, 3]}).to_csv("new.csv", index=False)
    assert main(["recommend", run_of("GRU4Rec"), "histories=new.csv", "out=some.csv", "k=3"]) == 0
    assert len(pd.read_csv("some.csv")) == 3
    for name in ("BPR", "HGN"):
        run = run_of(name)
        capsys.readouterr()
        assert main(["recommend", run, "histories=new.csv", "out=none.csv", "k=3"]) == 2
        assert (
            "knows each user by a vector, and of 1 user 1 (such as new) were not in training" in capsys.readouterr().err
        )


@pytest.mark.usefixtures("tiny")
def test_a_swap_trains_on_the_held_out_items_alone(capsys: pytest.CaptureFixture) -> None:
    for name in ("SASRec", "BPR"):
        assert main(["refit", run_of(name), "how=swap", "epochs=1"]) == 0
    for name, reason in (("MultiVAE", "trains on all items of a user at once"), ("NCEPLRec", "is solved for")):
        run = run_of(name)
        capsys.readouterr()
        assert main(["refit", run, "how=swap"]) == 2
        assert reason in capsys.readouterr().err


@pytest.mark.usefixtures("tiny")
def test_a_run_starts_from_the_weights_of_another(capsys: pytest.CaptureFixture) -> None:
    source = run_of("SASRec").removeprefix("run=")
    assert (
        train("model=recbole", "model.name=SASRec", "data.path=tiny.csv", "init=pretrained", f"init.source={source}")
        == 0
    )
    assert source in capsys.readouterr().out


@pytest.mark.usefixtures("tiny")
def test_a_list_among_the_parameters_is_a_list() -> None:
    assert run_of("NextItNet", "+model.params.dilations=[1,2]")


def test_an_epoch_leaves_the_generators_of_others_where_they_were() -> None:
    catalogue = Catalogue(num_items=4, train=Ragged.from_rows([[0, 1], [2, 3]]))
    parts: dict[str, Any] = dict.fromkeys(("sampler", "optimizer", "protocol", "metrics"))
    task = RecBoleTraining(model=RecBoleModel(catalogue, name="BPR", max_length=4), **parts)
    before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
    task.on_train_epoch_start()
    random.random()
    np.random.random()  # noqa: NPY002
    assert random.getstate() != before[0]
    task.on_train_epoch_end()
    assert (random.getstate(), str(np.random.get_state())) == before  # noqa: NPY002


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
