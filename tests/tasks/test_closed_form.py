"""Every model that is no item encoder, through the task, the Trainer and the driver that run all models."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from grid import classical, composed, options, target
from hydra.utils import instantiate
from pytorch_lightning import Trainer

from recsys.commands.cli import main
from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.evaluation import evaluate
from recsys.models.closed_form import ClosedFormModel
from recsys.runs.assembly import Parts, assemble

SIZE = 24  # users and items of the checkerboard
SOLVED = [name for name in classical() if issubclass(target("model", name), ClosedFormModel)]
QUICK = ("trainer.accelerator=cpu", "trainer.enable_progress_bar=false")


def checkerboard(held_out: str = "own") -> Split:
    """User u has the items of u's parity but one, u itself, which is asked for; `held_out="other"`: u + 1 is."""
    rng = np.random.default_rng(0)
    rows = Ragged.from_rows([rng.permutation([i for i in range(u % 2, SIZE, 2) if i != u]) for u in range(SIZE)])
    shift = {"own": 0, "other": 1}[held_out]
    questions = EvalSet(np.arange(SIZE), rows, Ragged.from_rows([[(u + shift) % SIZE] for u in range(SIZE)]))
    return Split(rows, questions, questions)


def trained(model: str, split: Split, *overrides: str) -> Parts:
    """After all the epochs that the model's own configuration asks for."""
    config = composed(f"model={model}", "batch_size=4", *QUICK, *overrides)
    whole = Ragged.from_rows([[*split.train.row(u), *split.test.targets.row(u)] for u in range(SIZE)])
    torch.manual_seed(0)
    parts = assemble(config, split, Catalogue(num_items=SIZE, train=split.train, whole=whole))
    trainer: Trainer = instantiate(config.trainer, enable_checkpointing=False, limit_val_batches=0)
    trainer.fit(parts.task, datamodule=parts.datamodule)
    return parts


@pytest.mark.parametrize("model", [name for name in classical() if name != "pop"])  # which is not personal
def test_the_missing_square_of_the_checkerboard_ranks_first(model: str) -> None:
    parts = trained(model, checkerboard())
    loader = parts.datamodule.test_dataloader()
    result = evaluate(parts.task.eval(), loader, protocol=parts.protocol, metrics=parts.metrics)
    assert result.summary["hr@1"] == 1.0


@pytest.mark.parametrize("model", classical())
def test_what_is_held_out_changes_nothing(model: str) -> None:
    one, other = (
        trained(model, checkerboard(held_out), "trainer.max_epochs=1").task.state_dict()
        for held_out in ("own", "other")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("loss", options("loss"))
@pytest.mark.parametrize("model", ["mf", "fpmc"])
def test_factorisations_take_any_loss_over_any_candidates(model: str, loss: str) -> None:
    parts = trained(model, checkerboard(), f"loss={loss}", "sampler=uniform", "trainer.max_epochs=2")
    assert all(parameter.isfinite().all() for parameter in parts.task.parameters())


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Interactions of 30 users, in an empty current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rows = [(user, (user * 3 + step) % 20) for user in range(30) for step in range(4 + user % 5)]
    pd.DataFrame(rows, columns=["user", "item"]).to_csv("tiny.csv", index=False)
    return "data.path=tiny.csv"


def train(*overrides: str) -> int:
    return main(["train", "data=csv", "data.name=tiny", *QUICK, *overrides])


def records() -> dict[str, dict]:
    """run.json of every run, by the first part of its name."""
    found = [json.loads(path.read_text()) for path in Path("outputs").rglob("run.json")]
    return {record["name"].partition(",")[0]: record for record in found}


def test_all_of_them_stand_in_one_table(tiny: str, capsys: pytest.CaptureFixture) -> None:
    short = ["trainer.max_epochs=1", "study=grid"]
    assert train("-m", f"model={','.join(classical())}", tiny, *short) == 0
    named = set(records())
    assert named == {*SOLVED, "mf-bpr", "fpmc-bpr", "multidae", "multivae"}
    table = capsys.readouterr().out.rpartition("mean ± deviation")[2]
    assert all(name in table for name in named)


def test_a_closed_form_leaves_the_record_that_every_model_leaves(tiny: str, capsys: pytest.CaptureFixture) -> None:
    assert train("model=ease", tiny) == 0
    record, run = records()["ease"], next(Path("outputs").rglob("run.json")).parent
    assert (record["status"], record["epochs"], record["best_epoch"]) == ("finished", 1, 0)
    per_user = pd.read_parquet(run / "per_user.parquet")
    assert per_user["ndcg@10"].mean() == pytest.approx(record["metrics"]["test/ndcg@10"])
    (epoch,) = pd.read_csv(run / "metrics.csv").to_dict("records")
    assert epoch["val/ndcg@10"] == pytest.approx(record["metrics"]["val/ndcg@10"], rel=1e-5)
    weights = torch.load(run / "best.ckpt", weights_only=True)["state_dict"]["model.weights"]
    assert record["num_parameters"] == weights.count_nonzero() > 0
    assert (run / "learning_curve.png").exists()
    capsys.readouterr()
    assert train("model=ease", tiny) == 0
    assert "already finished" in capsys.readouterr().out
    assert train("model=ease", tiny, "model.l2=7", f"output_dir='{run}'") == 2
    assert "holds a run of another config" in capsys.readouterr().err


def test_one_epoch_is_enough_whatever_a_grid_asks_of_its_other_models() -> None:
    parts = trained("ease", checkerboard(), "trainer.max_epochs=5")
    assert parts.task.trainer.current_epoch == 1


def test_popularity_is_the_baseline_beside_itself(tiny: str) -> None:
    assert train("model=pop", tiny) == 0
    record = records()["pop"]
    assert record["metrics"] == record["baselines"]["pop"]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("model=ease", "loss=bpr"), "EASE takes no loss; leave out loss=..."),
        (("model=multivae", "sampler=uniform"), "MultiVAE takes no sampler; leave out sampler=..."),
        (("model=ease", "optimizer=adam"), "EASE takes no optimizer; leave out optimizer=..."),
        (("model=ease", "task=next_item"), "EASE is no QueryModel, as this task needs; leave out task=..."),
        (("model=sasrec", "task=closed_form"), "SASRec is no ClosedFormModel"),
        (("model=ease", "optimizer.lr=0.1"), "optimizer"),
        (("model=ease", "model.l2=0"), "l2 (0) must be above 0; set model.l2=100"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(
    overrides: tuple[str, ...], sentence: str, tiny: str, capsys: pytest.CaptureFixture
) -> None:
    assert train(*overrides, tiny) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert not records()


@pytest.mark.parametrize("model", classical())
def test_there_is_nothing_to_inspect(model: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", f"model={model}"]) == 2
    error = capsys.readouterr().err
    assert "encodes no sequence, so it has no stages to show; set model=sasrec" in error
    assert error.count("\n") == 1
