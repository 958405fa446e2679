"""`recsys refit`: what it trains on and for how long, what it says, and that nobody takes it for a competitor."""

import json
from pathlib import Path

import pandas as pd
import pytest
import torch
from pytorch_lightning import Trainer

from recsys.commands.cli import main
from recsys.report.runs import load_run, load_runs

TRAIN = (
    "train",
    "data=csv",
    "data.path=tiny.csv",
    "data.reader.timestamp=timestamp",
    "max_length=10",
    "trainer.max_epochs=3",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "output_dir=runs/seed0",
)
SASREC = ("model.dim=8", "model.feedforward_dim=8", "model.dropout=0.0")
FULL = ("refit", "run=runs/seed0", "how=full")
SWAP = ("refit", "run=runs/seed0", "how=swap")


pytestmark = pytest.mark.usefixtures("workplace")


def weights(run: str) -> dict[str, torch.Tensor]:
    return torch.load(Path(run, "best.ckpt"), weights_only=True)["state_dict"]


def test_popularity_refitted_counts_everything_and_then_nothing_warns(capsys: pytest.CaptureFixture) -> None:
    assert main([*TRAIN, "model=pop"]) == 0
    assert main([*FULL]) == 0
    counts = weights("runs/seed0-full")["model.counts"]
    assert counts.tolist() == pd.read_csv("tiny.csv")["item"].value_counts().sort_index().to_list()
    capsys.readouterr()
    assert main(["recommend", "run=runs/seed0-full", "out=sub.csv", "k=3"]) == 0
    assert "held out" not in capsys.readouterr().err
    assert main(["evaluate", "run=runs/seed0-full"]) == 2
    assert "is a refit: it has been trained on what it would be asked" in capsys.readouterr().err
    assert main(["refit", "run=runs/seed0-full", "how=full"]) == 2
    assert "is a refit already" in capsys.readouterr().err


def test_items_that_a_refit_has_learned_do_not_compete_with_what_was_trained_on(capsys: pytest.CaptureFixture) -> None:
    assert main([*TRAIN, "model=pop"]) == 0
    assert main([*FULL]) == 0
    rows = pd.read_csv("tiny.csv").sort_values(["user", "timestamp"], kind="stable")
    held_out = rows.groupby("user").tail(2).index
    gains = {"before": [], "after": []}
    for name, counted in (("before", rows.drop(held_out)), ("after", rows)):
        counts = counted["item"].value_counts()
        for _, own in rows.groupby("user"):
            if len(own) < 4:
                continue
            target = own["item"].iloc[-3]
            others = counts.drop(own["item"], errors="ignore")
            assert target in counts
            better, ties = (others > counts[target]).sum(), (others == counts[target]).sum()
            gains[name].append((better, better + ties))
    sides = json.loads(Path("runs/seed0-full/run.json").read_text())["refit"]
    for name, ranks in gains.items():
        worst, best = (sum(each[place] < 10 for each in ranks) / len(ranks) for place in (1, 0))
        assert worst <= sides[name]["train"]["hr@10"] <= best


def test_a_full_refit_takes_as_many_steps_as_the_best_epoch_had_scaled_by_the_data(capsys) -> None:
    assert main([*TRAIN, *SASREC, "batch_size=8"]) == 0
    best = load_run(Path("runs/seed0")).best_epoch
    assert best is not None
    assert main([*FULL]) == 0
    there = len(pd.read_csv("tiny.csv"))
    refit = load_run(Path("runs/seed0-full"))
    assert refit.epochs == round((best + 1) * there / (there - 80))  # as many steps an epoch: each has the same users
    assert refit.is_refit
    assert refit.ranks_nothing
    runs, problems = load_runs(Path("runs"))
    assert [run.path.name for run in runs] == ["seed0"]
    assert not problems
    said = json.loads(Path("runs/seed0-full/run.json").read_text())["refit"]
    test = json.loads(Path("runs/seed0/run.json").read_text())["metrics"]
    assert said["before"]["held_out"]["ndcg@10"] == pytest.approx(test["test/ndcg@10"])
    assert set(said["after"]) == {"train", "held_out"}
    assert said["of"] == "runs/seed0"
    before = Path("runs/seed0-full/best.ckpt").stat().st_mtime_ns
    capsys.readouterr()
    assert main([*FULL]) == 0
    assert "already finished" in capsys.readouterr().out
    assert Path("runs/seed0-full/best.ckpt").stat().st_mtime_ns == before


@pytest.mark.parametrize("model", [("model=sasrec", *SASREC), ("model=bert4rec", *SASREC[:2]), ("model=mf",)])
def test_the_swap_goes_on_from_the_best_epoch(model: tuple[str, ...]) -> None:
    assert main([*TRAIN, *model]) == 0
    assert main([*SWAP, "epochs=1", "trainer.enable_progress_bar=false"]) == 0
    ours, theirs = weights("runs/seed0-swap"), weights("runs/seed0")
    assert any(not torch.equal(ours[name], theirs[name]) for name in ours)
    moved = max(float((ours[name] - theirs[name]).abs().max()) for name in ours if ours[name].is_floating_point())
    assert moved < 0.1  # a fresh start would be far away
    assert load_run(Path("runs/seed0-swap")).epochs == 1


def test_the_swap_has_a_loss_on_held_out_items_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert main([*TRAIN, *SASREC]) == 0
    seen: list[tuple[int, int]] = []
    fit = Trainer.fit

    def watched(self, task, datamodule, **more):
        for batch in datamodule.train_dataloader():
            users = batch.users[batch.rows].tolist()
            seen.extend(zip(users, batch.positives.tolist(), strict=True))
        return fit(self, task, datamodule=datamodule, **more)

    monkeypatch.setattr(Trainer, "fit", watched)
    assert main([*SWAP]) == 0
    frame = pd.read_csv("tiny.csv").sort_values(["user", "timestamp"])
    names = sorted(frame["user"].unique())
    last = frame[frame.groupby("user").cumcount(ascending=False) < 2]
    expected = {(names.index(user), item) for user, item in zip(last["user"], last["item"], strict=True)}
    assert set(seen) == expected
    assert len(seen) == 80


def test_a_refit_says_what_it_learns_from_and_is_in_the_ledger_with_all_that_its_run_was_told(
    capsys: pytest.CaptureFixture,
) -> None:
    assert main([*TRAIN, *SASREC, "optimizer=radam", "note=the run"]) == 0
    assert main([*SWAP, "epochs=1", "note=a try, [b]"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "1 epoch more with a loss on 80 held-out interactions alone -> runs/seed0-swap" in out
    assert main([*FULL]) == 0
    assert f"with all {len(pd.read_csv('tiny.csv'))} interactions (80 were held out)" in capsys.readouterr().out
    run, swap, full = pd.read_csv("outputs/ledger.csv", keep_default_na=False).to_dict("records")
    for refit in (swap, full):
        for column in ("init", "optimizer", "scheduler"):
            assert refit[column] == run[column]
        assert refit["overrides"].startswith(f"{run['overrides']} refit.how=")
    assert (run["optimizer"], run["init"], run["scheduler"]) == ("radam", "scratch", "warmup")
    assert swap["overrides"].endswith(" refit.how=swap refit.epochs=1")
    assert [line["note"] for line in (run, swap, full)] == ["the run", "a try, [b]", ""]
    assert main([*SWAP, "epochs=2"]) == 2
    err = capsys.readouterr().err
    assert "refit.epochs is 1 there, 2 here); give the same epochs=N as there, or force=true to run over it" in err
    assert main([*SWAP, "epochs=1", "note=another"]) == 0
    assert main(["rerun", "runs/seed0-swap", "seed=1"]) == 2
    assert "keeps no command line of recsys train" in capsys.readouterr().err


def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture) -> None:
    def said(*argv: str) -> str:
        capsys.readouterr()
        assert main(["refit", *argv]) == 2
        return capsys.readouterr().err

    assert "how is required: recsys refit run=DIRECTORY how=full" in said("run=runs/seed0")
    assert "how (all) must be one of full, swap" in said("run=runs/seed0", "how=all")
    assert "epochs (0) must be a whole number of at least 1" in said("run=runs/seed0", "how=swap", "epochs=0")
    assert main([*TRAIN, "model=ease"]) == 0
    assert "runs/seed1 has no run.json: there is no such folder; did you mean runs/seed0?" in said(
        "run=runs/seed1", "how=swap"
    )
    assert "give the folder that runs/seed0/run.json lies in" in said("run=runs/seed0/run.json", "how=swap")
    assert "there is no such folder; did you mean runs?" in said("run=rums/seed0", "how=swap")
    assert "EASE is solved for and has no epochs to go on with; use how=full" in said(*SWAP[1:])
    assert main([*TRAIN, *SASREC, "scheduler=plateau", "force=true"]) == 0
    assert "nothing is held out to measure it on; use how=swap" in said(*FULL[1:])
