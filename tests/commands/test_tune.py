"""`recsys tune`: trials that are runs, a search that continues, and what stops it."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import pandas as pd
import pytest

pytest.importorskip("optuna", reason="needs the extra `tune`")

import optuna
from filelock import FileLock
from grid import composed

from recsys.callbacks import EpochLog
from recsys.commands.cli import main
from recsys.config.composing import check_types
from recsys.searches.space import first_values, load_space, overrides_of

TINY = (
    "data=csv",
    "data.name=tiny",
    "data.path=tiny.csv",
    "max_length=10",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
)
SPACE = """
model.dim: {_target_: optuna.distributions.CategoricalDistribution, choices: [4, 8]}
optimizer.lr: {_target_: optuna.distributions.FloatDistribution, low: 0.001, high: 0.1, log: true}
"""
ODD = "model.dim: {_target_: optuna.distributions.IntDistribution, low: 6, high: 7}"  # 7 has no 2 heads


@pytest.fixture(autouse=True)
def space(workplace: Path) -> None:
    """A search space in `space.yaml` of the workplace."""
    (workplace / "space.yaml").write_text(SPACE)


def tune(*argv: str) -> int:
    return main(["tune", *TINY, "search=space.yaml", "seeds=0", *argv])


def trials() -> pd.DataFrame:
    return pd.read_csv("outputs/tune/tune/trials.csv")


def records(study: str = "tune") -> list[dict]:
    return [json.loads(path.read_text()) for path in Path("outputs", study).rglob("run.json")]


def test_each_trial_is_a_run_and_the_best_on_validation_is_trained_with_other_seeds(
    capsys: pytest.CaptureFixture,
) -> None:
    assert tune("trials=3", "seeds=2") == 0
    table = trials()
    assert table["state"].tolist() == ["COMPLETE"] * 3
    runs = {tuple(record["overrides"][-2:]): record["metrics"]["val/ndcg@10"] for record in records()}
    tried = dict(zip(map(tuple, map(eval, table["user_attrs_overrides"])), table["value"], strict=True))
    assert tried == pytest.approx(runs)
    best = max(runs, key=lambda key: runs[key])
    finals = records("tune-best")
    assert sorted(record["seed"] for record in finals) == [1, 2]
    assert all(set(best) <= set(record["overrides"]) for record in finals)
    assert {path.stem for path in Path("outputs/tune/tune").glob("*.png")} == {
        "history",
        "slices",
        "epochs",
        "importances",
    }
    assert "3 trials, 0 pruned, 0 failed" in capsys.readouterr().out


def test_a_search_continues_to_the_number_of_trials_asked_for(capsys: pytest.CaptureFixture) -> None:
    assert tune("trials=1") == 0
    first = trials()
    assert tune("trials=3") == 0
    assert "1 of 3 trials are there already" in capsys.readouterr().out
    assert len(trials()) == 3
    pd.testing.assert_series_equal(trials()["value"][:1], first["value"])
    assert len(set(trials()["params_optimizer.lr"])) == 3


def test_a_refused_combination_is_told_and_the_others_go_on(capsys: pytest.CaptureFixture) -> None:
    Path("space.yaml").write_text(ODD)
    assert tune("trials=3") == 0
    states = trials().groupby("params_model.dim")["state"].unique().map(list).to_dict()
    assert states == {6: ["COMPLETE"], 7: ["FAIL"]}
    assert "failed: dim (7) must be divisible by num_heads (2)" in capsys.readouterr().out
    Path("space.yaml").write_text(ODD.replace("low: 6", "low: 7"))
    assert tune("trials=2", "study=none") == 2
    assert "none of 2 trials came to an end; the first says: dim (7)" in capsys.readouterr().err


def test_a_trial_that_was_cut_short_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(self: EpochLog, *_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("recsys.callbacks.EpochLog.on_train_batch_start", press, raising=False)
        assert tune("trials=2") == 130
    assert trials()["state"].tolist() == ["RUNNING"]
    assert tune("trials=2") == 0
    table = trials()
    assert table["state"].tolist() == ["FAIL", "COMPLETE", "COMPLETE"]
    assert table["params_optimizer.lr"][0] == table["params_optimizer.lr"][1]
    assert len(records()) == 2


def test_a_trial_worse_than_most_is_pruned_and_stays_a_run_that_can_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr("recsys.searches.trials.STARTUP", 1)
    monkeypatch.setattr("recsys.searches.trials.WARMUP", 0)
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda trial: trial.number == 1)
    assert tune("trials=3") == 0
    assert trials()["state"].tolist() == ["COMPLETE", "PRUNED", "COMPLETE"]
    assert sorted(record["status"] for record in records()) == ["finished", "finished", "interrupted"]
    (cut,) = [record for record in records() if record["status"] == "interrupted"]
    assert cut["epochs"] == 1
    out = capsys.readouterr().out
    assert f"pruned after epoch 0, val/ndcg@10 {cut['metrics']['val/ndcg@10']:.4f} at best" in out
    assert "the same command continues" not in out
    assert "test set" not in out
    assert main(["train", *cut["overrides"]]) == 0
    assert sorted(record["status"] for record in records()) == ["finished"] * 3


def test_jobs_side_by_side_share_the_search() -> None:
    assert tune("trials=3", "jobs=2", "model=pop", "search=space2.yaml") == 2  # no such file
    Path("space2.yaml").write_text(
        "data.min_user_items: {_target_: optuna.distributions.IntDistribution, low: 3, high: 5}"
    )
    assert main(["tune", *TINY, "search=space2.yaml", "seeds=0", "trials=3", "jobs=2", "model=pop"]) == 0
    assert trials()["state"].tolist() == ["COMPLETE"] * 3
    assert sorted(trials()["number"]) == [0, 1, 2]


def test_mistakes_are_one_sentence_before_any_trial(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*argv: str) -> str:
        assert tune(*argv) == 2
        return capsys.readouterr().err

    assert "search=nix: no such search; give a YAML file, or one of generic, sasrec" in said("search=nix")
    assert "model.dim is both set and searched" in said("model.dim=8")
    assert "trials (0) must be a whole number of at least 1" in said("trials=0")
    assert "leave out -m" in said("-m")
    assert "model.dmi: unknown key" in said("model.dmi=8")
    assert "trails: unknown key of tune; did you mean trials? its own keys are search, trials, jobs," in said(
        "trails=3"
    )
    assert "its own keys are search, trials, jobs, seeds, prune; of recsys train: qqq: unknown key" in said("qqq=3")
    assert "monitor (test/ndcg@10) must not be of the test set" in said("monitor=test/ndcg@10")
    Path("space.yaml").write_text("model.dmi: {_target_: optuna.distributions.IntDistribution, low: 1, high: 2}")
    assert "model.dmi: unknown key" in said()
    Path("space.yaml").write_text("model.dim: {_target_: optuna.distributions.IntDistribution, low: 3, high: 2}")
    assert "model.dim is no distribution" in said()
    Path("space.yaml").write_text("model.dim: [4, 8]")
    assert "model.dim ([4, 8]) must be a distribution" in said()
    Path("space.yaml").write_text("model.dim: 1\nmodel.dropout: [1, 2\noptimizer.lr: 3\n")
    assert "space.yaml, line 3, column 13: no YAML (expected ',' or ']'" in said()
    Path("space.yaml").write_text("3\n")
    assert "space.yaml: no YAML of keys" in said()
    Path("space.yaml").write_text(SPACE.replace("[4, 8]", "[{a: 1}]"))
    assert "model.dim: a choice ({'a': 1}) must be a number, a word, true, false, null or a list" in said()
    Path("space.yaml").write_text(SPACE)
    assert "monitor (val/nothing) must be what the task measures, one of val/hr@1" in said("monitor=val/nothing")
    assert not Path("outputs").exists()
    Path("space.yaml").write_text(SPACE)
    with FileLock("outputs/tune/tune/lock"):
        assert "another recsys tune is at work" in said("trials=1")
    assert tune("trials=1", "model=gru4rec") == 0
    assert "holds another search (set.model is gru4rec there, not set here)" in said("trials=1")
    monkeypatch.setattr("recsys.config.extras.find_spec", lambda package: None)
    assert "recsys tune needs optuna, which is not installed: pip install -c constraints.txt -e '.[tune]'" in said()


def test_a_search_of_which_nothing_came_gives_way_to_the_corrected_one() -> None:
    Path("space.yaml").write_text(ODD.replace("low: 6", "low: 7"))
    assert tune("trials=1") == 2
    Path("space.yaml").write_text(ODD.replace("high: 7", "high: 6"))
    assert tune("trials=1") == 0
    assert trials()["state"].tolist() == ["COMPLETE"]


def test_lists_may_be_chosen_from() -> None:
    node = "{_target_: optuna.distributions.CategoricalDistribution, choices: [[0.9, 0.99], [0.9, 0.98]]}"
    Path("space.yaml").write_text(f"optimizer.betas: {node}")
    space = load_space("space.yaml")
    assert first_values(space) == {"optimizer.betas": "[0.9,0.99]"}
    assert list(composed(*overrides_of({"optimizer.betas": "[0.9,0.98]"})).optimizer.betas) == [0.9, 0.98]
    assert tune("trials=2") == 0
    assert trials()["state"].tolist() == ["COMPLETE"] * 2
    assert Path("outputs/tune/tune/slices.png").exists() == (trials()["params_optimizer.betas"].nunique() > 1)


@pytest.mark.slow
def test_ctrl_c_stops_the_jobs_side_by_side_and_begins_no_other() -> None:
    endless = ("trainer.max_epochs=100000", "callbacks=patient", "search=space.yaml", "trials=8", "jobs=2")
    command = [sys.executable, "-m", "recsys", "tune", *TINY, *endless]
    with Popen(command, stdout=PIPE, stderr=STDOUT, text=True, start_new_session=True) as search:
        give_up = time.monotonic() + 240
        while len(list(Path("outputs").rglob("metrics.csv"))) < 2 and time.monotonic() < give_up:
            time.sleep(0.1)  # until both jobs have trained an epoch
        os.killpg(search.pid, signal.SIGINT)
        out, _ = search.communicate(timeout=120)
    assert search.returncode == 130, out
    assert "Traceback" not in out
    assert trials()["state"].tolist() == ["RUNNING"] * 2
    assert [record["status"] for record in records()] == ["interrupted"] * 2


@pytest.mark.parametrize("name", ["sasrec", "generic"])
def test_a_shipped_space_is_one_of_keys_that_exist(name: str) -> None:
    check_types(composed(*overrides_of(first_values(load_space(name)))))


def test_numbers_are_short_in_overrides() -> None:
    params = {"a": 0.30000000000000004, "b": 1 / 3, "c": None, "d": True, "e": 3, "f": "ce", "g": 1e-5}
    assert overrides_of(params) == ["a=0.3", "b=0.333333", "c=null", "d=true", "e=3", "f=ce", "g=1e-05"]
