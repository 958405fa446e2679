"""`recsys ensemble` end to end: members' top lists, one record among the others, and who is refused."""

import json
from pathlib import Path

import pandas as pd
import pytest

from recsys.commands.cli import main
from recsys.runs.top_lists import stored

TINY = (
    "data=csv",
    "data.name=tiny",
    "data.path=tiny.csv",
    "data.reader.timestamp=timestamp",
    "max_length=10",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
)
SASREC = ("model.dim=8", "model.feedforward_dim=8", "optimizer.lr=0.02")


pytestmark = pytest.mark.usefixtures("workplace")


def train(directory: str, *overrides: str) -> None:
    assert main(["train", *TINY, "study=s", f"output_dir='{directory}'", *overrides]) == 0


def record(directory: str) -> dict:
    return json.loads(Path(directory, "run.json").read_text())


def test_an_ensemble_is_a_run_among_the_others(capsys: pytest.CaptureFixture) -> None:
    train("outputs/s/tiny/a,x=1/seed0", *SASREC)
    train("outputs/s/tiny/b/seed0", "model=itemknn")
    members = ("outputs/s/tiny/a,x=1/seed0", "outputs/s/tiny/b/seed0")
    capsys.readouterr()
    assert main(["ensemble", f"runs={','.join(members)}", "weights=validation", "note=both, together"]) == 0
    out = capsys.readouterr().out
    assert "overlap@10" in out
    path = "outputs/s/tiny/ensemble-soft,weights=validation/seed0"
    found = record(path)
    assert found["fingerprints"] == record(members[0])["fingerprints"]
    values = [member["val/ndcg@10"] for member in found["members"]]
    assert values == pytest.approx([record(member)["metrics"]["val/ndcg@10"] for member in members])
    assert found["metrics"]["val/ndcg@10"] >= max(values) - 1e-9  # the best member alone is one of the mixtures
    assert sum(member["weight"] for member in found["members"]) == pytest.approx(1)
    per_user = pd.read_parquet(Path(path, "per_user.parquet"))
    assert per_user["user"].tolist() == pd.read_parquet(Path(members[0], "per_user.parquet"))["user"].tolist()
    assert per_user["ndcg@10"].mean() == pytest.approx(found["metrics"]["test/ndcg@10"])
    assert pd.read_csv("outputs/ledger.csv")["note"].iloc[-1] == "both, together"
    top = pd.read_parquet(Path(members[0], "topk_test.parquet"))
    assert list(top.columns) == ["user", "item", "rank", "score"]
    assert (top.sort_values(["user", "rank"]).groupby("user")["score"].diff().dropna() <= 0).all()
    capsys.readouterr()
    assert main(["report", "outputs/s", "data=false"]) == 0
    assert "ensemble-soft" in capsys.readouterr().out
    table = pd.read_csv("outputs/s/report/table.csv")
    assert table[table["name"].str.startswith("ensemble")].filter(like="p").notna().any(axis=None)
    assert main(["ensemble", *members, "weights=validation", "note=again"]) == 0
    assert "already finished" in capsys.readouterr().out
    assert main(["evaluate", f"run={path}"]) == 2
    assert "has no model of its own" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["soft", "rank", "hard"])
def test_two_copies_of_a_run_rank_as_it_does(how: str) -> None:
    """Each way of joining leaves the order of the ten best alone where all members agree."""
    for name in ("a", "b"):
        train(name, *SASREC)
    assert main(["ensemble", "a", "b", f"how={how}", "name=copies"]) == 0
    alone, joined = record("a")["metrics"], record("outputs/s/tiny/copies/seed0")["metrics"]
    for name, value in alone.items():
        if not name.endswith("@20"):  # of 20 items less than 20 are left, and the last of a list scores as the absent
            assert joined[name] == pytest.approx(value), name


def test_lists_are_kept_until_the_checkpoint_is_newer() -> None:
    for name, loss in (("a", "ce"), ("b", "bpr")):
        train(name, *SASREC, f"loss={loss}")
    assert main(["ensemble", "a", "b", "k=5"]) == 0
    file = Path("a/topk_test.parquet")
    assert pd.read_parquet(file)["rank"].max() == 10  # the run's own
    assert {part: frame["rank"].max() for part, frame in stored(Path("a"), [], k=4).items()} == {"val": 4, "test": 4}
    assert pd.read_parquet("a/topk_val.parquet")["rank"].max() == 5
    assert main(["ensemble", "a", "b", "k=12", "name=twelve"]) == 0
    assert pd.read_parquet(file)["rank"].max() == 12
    Path("a/best.ckpt").touch()
    second = file.stat().st_mtime_ns
    assert main(["ensemble", "a", "b", "k=12", "name=again"]) == 0
    assert file.stat().st_mtime_ns > second
    train("a", *SASREC, "loss=ce", "force=true")
    assert not Path("a/topk_val.parquet").exists()
    assert pd.read_parquet(file)["rank"].max() == 10


def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture) -> None:
    def said(*argv: str) -> str:
        assert main(["ensemble", *argv]) == 2
        return capsys.readouterr().err

    train("a", "model=pop")
    train("b", "model=pop", "split=temporal")
    train("c", "model=pop", "eval=full_kept")
    capsys.readouterr()
    assert "takes two runs or more, got 1" in said("a")
    assert "a run is named twice" in said("a", "a")
    assert "runs: x is no directory of a run" in said("runs=a,x")
    assert "nowhere has no run.json" in said("a", "nowhere")
    assert "how (mean) must be one of soft, rank, hard" in said("a", "b", "how=mean")
    assert "weights (best) must be one of equal, validation" in said("a", "b", "weights=best")
    assert "wieghts: unknown key of ensemble; did you mean weights?" in said("a", "b", "wieghts=equal")
    assert "b differs from a in its split (split: " in said("a", "b")
    assert "c differs from a in its protocol (protocol: full catalogue, seen items removed" in said("a", "c")
    assert not list(Path("outputs").rglob("ensemble*"))
