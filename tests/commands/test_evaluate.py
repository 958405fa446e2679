"""`recsys evaluate`: a run's best epoch, rebuilt from its record, under several protocols."""

import json
from pathlib import Path

import pandas as pd
import pytest

from recsys.commands.cli import main
from recsys.commands.evaluate import compose_options

TRAIN = (
    "train",
    "data=csv",
    "data.path=tiny.csv",
    "data.reader.timestamp=timestamp",
    "max_length=10",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "output_dir=run",
)
SASREC = ("model.dim=8", "model.feedforward_dim=8")
FEW = ("eval.protocol.negatives.count=5",)


pytestmark = pytest.mark.usefixtures("workplace")


def evaluations() -> dict:
    return json.loads(Path("run/evaluations.json").read_text())["evaluations"]


@pytest.mark.parametrize("model", [("model=sasrec", *SASREC), ("model=ease",), ("model=mf", "model.dim=8")])
def test_the_full_ranking_gives_the_digits_of_the_run(model: tuple[str, ...]) -> None:
    assert main([*TRAIN, *model, "split=temporal"]) == 0
    record = json.loads(Path("run/run.json").read_text())
    assert main(["evaluate", "run=run"]) == 0
    full = evaluations()["full"]
    assert full["metrics"] == pytest.approx(record["metrics"])
    assert full["baselines"]["pop"] == pytest.approx(record["baselines"]["pop"])
    assert full["protocol"] == record["fingerprints"]["protocol"]
    ours, theirs = pd.read_parquet("run/per_user_full.parquet"), pd.read_parquet("run/per_user.parquet")
    pd.testing.assert_frame_equal(ours, theirs)


def test_several_protocols_at_once_and_one_after_the_other(capsys: pytest.CaptureFixture) -> None:
    assert main([*TRAIN, *SASREC]) == 0
    capsys.readouterr()
    assert main(["evaluate", "run=run", "eval=uniform_100,popularity_100", *FEW]) == 0
    printed = capsys.readouterr().out
    assert "uniform_100" in printed
    assert "pop" in printed
    assert main(["evaluate", "run=run", "eval=full_lists"]) == 0
    assert "coverage@10" in capsys.readouterr().out
    found = evaluations()
    names = [f"{name},negatives.count=5" for name in ("uniform_100", "popularity_100")]
    assert list(found) == [*names, "full_lists"]  # they are neither with 100 negatives
    assert "test/uniform_5/ndcg@10" in found[names[0]]["metrics"]
    assert "test/auc" in found["full_lists"]["metrics"]
    per_user = pd.read_parquet(f"run/per_user_{names[0]}.parquet")
    assert len(per_user) == 40
    mean = found[names[0]]["metrics"]["test/uniform_5/hr@5"]
    assert per_user["uniform_5/hr@5"].mean() == pytest.approx(mean)


def test_training_under_a_sampled_protocol_and_with_lists() -> None:
    """What chooses the best epoch then is the sampled metric, by its own name."""
    assert main([*TRAIN, *SASREC, "eval=uniform_100", *FEW]) == 0
    record = json.loads(Path("run/run.json").read_text())
    assert "test/uniform_5/ndcg@10" in record["metrics"]
    assert "test/ndcg@10" not in record["metrics"]
    assert "5 uniform negatives outside the user's whole history (seed 0)" in record["fingerprints"]["protocol"]
    assert main(["evaluate", "run=run", "eval=uniform_100", *FEW]) == 0
    assert evaluations()["uniform_100,negatives.count=5"]["metrics"] == pytest.approx(record["metrics"])
    assert main([*TRAIN, *SASREC, "eval=full_lists", "force=true"]) == 0
    assert "test/gini@10" in json.loads(Path("run/run.json").read_text())["metrics"]


def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture) -> None:
    def said(*argv: str) -> str:
        assert main(["evaluate", *argv]) == 2
        return capsys.readouterr().err

    assert "run is required" in said("eval=full")
    assert "seed: unknown key of evaluate" in said("run=run", "seed=1")
    assert "eval=ful: no such option; known options of eval: full," in said("run=run", "eval=ful")
    assert "run has no run.json" in said("run=run")
    assert main([*TRAIN, *SASREC]) == 0
    lines = Path("tiny.csv").read_text().splitlines()
    Path("tiny.csv").write_text("\n".join(lines[:-20]))
    capsys.readouterr()
    assert "the data has another fingerprint than when the run was trained" in said("run=run")
    Path("other.csv").write_text("\n".join(lines))
    assert main(["evaluate", "run=run", "data.path=other.csv"]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("eval=uniform_100", "eval.protocol.negatives.cuont=99"),
            "eval.protocol.negatives.cuont: unknown key; known keys of eval.protocol.negatives: count, seed, reject, "
            "replacement, fresh; did you mean eval.protocol.negatives.count?",
        ),
        (
            ("eval=full,uniform_100", "eval.protocol.negatives.cuont=99"),
            "did you mean eval.protocol.negatives.count?",  # by the option that knows the most of it
        ),
        (
            ("eval=full", "eval.protocol.negatives.count=99"),
            "eval.protocol.negatives: unknown key; known keys of eval.protocol: remove_seen, ties",
        ),
        (("eval=full", "eval.metrics.cutoffs=1,5"), "several values for one key: write a list as [1,2]"),
        (("eval=full", "eval.metrics.cutoffs=[1"), "'eval.metrics.cutoffs=[1' is no valid override"),
    ],
)
def test_a_change_that_no_option_takes_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(["evaluate", "run=run", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_change_is_made_to_the_options_that_have_its_key() -> None:
    changes = ["eval.protocol.negatives.count=99", "eval.protocol.negatives.path=x.txt", "eval.metrics.cutoffs=[3]"]
    found = compose_options(["full", "uniform_100", "negatives_file"], changes)
    assert list(found) == ["full", "uniform_100,negatives.count=99", "negatives_file"]
    full, uniform, file = found.values()
    assert "negatives" not in full.protocol
    assert uniform.protocol.negatives.count == 99
    assert file.protocol.negatives.path == "x.txt"
    assert all(node.metrics.cutoffs == [3] for node in found.values())


def test_what_is_broken_is_named(capsys: pytest.CaptureFixture) -> None:
    def said() -> str:
        assert main(["evaluate", "run=run"]) == 2
        return capsys.readouterr().err

    assert main([*TRAIN, "model=ease"]) == 0
    assert main(["evaluate", "run=run"]) == 0
    capsys.readouterr()
    file, record, checkpoint = Path("run/evaluations.json"), Path("run/run.json"), Path("run/best.ckpt")
    good = file.read_text()
    for broken in ("{", "[1]", '{"evaluations": {"full": 3}}'):
        file.write_text(broken)
        assert "run/evaluations.json is broken" in said()
    file.write_text(good.replace('"best_epoch": 0', '"best_epoch": 4'))
    assert "evaluations.json is of another run" in said()
    file.unlink()
    weights = checkpoint.read_bytes()
    checkpoint.write_bytes(weights[:100])
    assert "the model of run, from its best.ckpt, can't be made again" in said()
    checkpoint.unlink()
    assert "run has no best.ckpt" in said()
    checkpoint.write_bytes(weights)
    content = json.loads(record.read_text())
    content["config"]["data"]["unheard_of"] = 1
    record.write_text(json.dumps(content))
    assert "data and split of run can't be made again (TypeError" in said()
    del content["config"]["eval"]
    record.write_text(json.dumps(content))
    assert "run.json has no config.eval" in said()


def test_a_run_over_another_keeps_none_of_its_evaluations() -> None:
    assert main([*TRAIN, "model=ease"]) == 0
    assert main(["evaluate", "run=run", "eval=full"]) == 0
    assert Path("run/per_user_full.parquet").exists()
    assert main([*TRAIN, "model=itemknn", "force=true"]) == 0
    assert not Path("run/evaluations.json").exists()
    assert not Path("run/per_user_full.parquet").exists()
    top = pd.read_parquet("run/topk_test.parquet")
    assert (top.groupby("user").size() == 10).all()
    assert top.groupby("user")["score"].apply(lambda scores: scores.is_monotonic_decreasing).all()
