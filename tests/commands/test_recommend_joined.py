"""`recsys recommend` with an ensemble and with folds: against what was evaluated, joined anew with pandas."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.commands.cli import main

TINY = (
    "data=csv",
    "data.name=tiny",
    "data.path=tiny.csv",
    "data.reader.timestamp=timestamp",
    "trainer.max_epochs=2",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "study=s",
)
SASREC = ("model.dim=8", "model.feedforward_dim=8")
MEMBERS = {"a,x=1": (*SASREC, "max_length=10"), "b": (*SASREC, "max_length=3"), "c": ("model=itemknn",)}
POINTS = {
    "soft": lambda top: top.groupby("user")["score"].transform(lambda x: (x - x.min()) / (x.max() - x.min())),
    "rank": lambda top: 1 / (60 + top["rank"]),
    "hard": lambda top: (top["rank"] <= 10) + 1 / (60 + top["rank"]) / 3600,
}

pytestmark = pytest.mark.usefixtures("workplace")


@pytest.fixture
def members() -> list[str]:
    for name, overrides in MEMBERS.items():
        assert main(["train", *TINY, f"output_dir='outputs/s/tiny/{name}/seed0'", *overrides]) == 0
    return [f"outputs/s/tiny/{name}/seed0" for name in MEMBERS]


def recommended(run: str, *argv: str) -> pd.DataFrame:
    assert main(["recommend", run, "out=sub.csv", *argv]) == 0
    return pd.read_csv("sub.csv")


def joined(members: list[str], weights: list[float], how: str) -> pd.Series:
    """(user, item) -> score, from the lists that the members were evaluated by."""
    tops = [pd.read_parquet(Path(member, "topk_test.parquet")) for member in members]
    parts = [top.assign(points=weight * POINTS[how](top)) for top, weight in zip(tops, weights, strict=True) if weight]
    return pd.concat(parts).groupby(["user", "item"])["points"].sum()


def agree(table: pd.DataFrame, expected: pd.Series, *, k: int) -> None:
    """The same k best scores of each user, and each item with the score that it has there."""
    for user, rows in table.groupby("user"):
        theirs = expected.loc[user]
        best = np.sort(theirs.to_numpy())[::-1][:k]
        np.testing.assert_allclose(rows["score"], best, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(theirs.loc[rows["item"]], best, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("how", "weights"), [("soft", "validation"), ("rank", "equal"), ("hard", "equal")])
def test_an_ensemble_recommends_as_it_was_evaluated(how: str, weights: str, members: list[str], capsys) -> None:
    assert main(["ensemble", *members, f"how={how}", f"weights={weights}", "name=all"]) == 0
    run = "outputs/s/tiny/all/seed0"
    shares = [member["weight"] for member in json.loads(Path(run, "run.json").read_text())["members"]]
    data = pd.read_csv("tiny.csv")
    asked = data[data.groupby("user").cumcount(ascending=False) > 0]  # the input of the test question
    asked.sample(frac=1, random_state=0).to_csv("asked.csv", index=False)
    capsys.readouterr()
    table = recommended(run, "histories=asked.csv", "k=5")
    assert set(table["user"]) == set(data["user"])
    assert (table.groupby("user").size() == 5).all()
    agree(table, joined(members, shares, how), k=5)
    assert "of 300 interactions 80 or fewer were held out" in capsys.readouterr().err or weights == "validation"
    everybody = recommended(run, "k=5", "batch_size=2")
    assert (everybody.groupby("user").size() == 5).all()
    assert not everybody.duplicated(["user", "item"]).any()
    assert everybody.merge(data, on=["user", "item"]).empty


def test_folds_recommend_as_they_were_bagged() -> None:
    split = ("split=user_folds", "split.num_folds=3", "split.fold=0,1,2")
    assert main(["train", *TINY, "-m", *SASREC, "max_length=10", *split]) == 0
    runs = [str(path.parent) for path in sorted(Path("outputs/s/tiny").glob("*/seed0/run.json"))]
    assert main(["folds", *runs, "bag=true", "name=folds"]) == 0
    bagged = pd.read_parquet("outputs/s/tiny/folds/seed0/topk_bagged.parquet")
    table = recommended("outputs/s/tiny/folds/seed0", "k=5")
    assert set(table["user"]) == set(bagged["user"])
    agree(table, bagged.set_index(["user", "item"])["score"], k=5)


def test_what_is_gone_or_changed_is_one_sentence(members: list[str], capsys, monkeypatch, tmp_path: Path) -> None:
    def said(*argv: str) -> str:
        assert main(["recommend", f"run={tmp_path}/outputs/s/tiny/all/seed0", "out=sub.csv", *argv]) == 2
        return capsys.readouterr().err

    assert main(["ensemble", *members, "how=rank", "name=all", "k=6"]) == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path / "cache")  # members are found from anywhere
    assert main(["recommend", f"run={tmp_path}/outputs/s/tiny/all/seed0", f"out={tmp_path}/sub.csv", "k=5"]) == 2
    assert "tiny.csv" in capsys.readouterr().err
    data = f"data.path={tmp_path}/tiny.csv"
    assert main(["recommend", f"run={tmp_path}/outputs/s/tiny/all/seed0", "out=sub.csv", "k=5", data]) == 0
    Path("sub.csv").unlink()
    capsys.readouterr()
    assert "k (7) is more than the 6 items of each member that" in said("k=7", data)
    monkeypatch.chdir(tmp_path)
    file = Path(members[2], "run.json")
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"fingerprints": record["fingerprints"] | {"data": "other"}}))
    assert "c/seed0 has another data than when" in said("k=5")
    shutil.rmtree(members[2])
    assert f"is made of {members[2]}, which is gone" in said("k=5")
    whole = Path("outputs/s/tiny/all/seed0/run.json")
    whole.write_text(json.dumps(json.loads(whole.read_text()) | {"members": [{"run": "x"}]}))
    assert "does not say which runs it joins, or how (KeyError: 'weight'): the record is damaged" in said("k=5")
    assert not Path("sub.csv").exists()


def test_a_refit_and_an_ensemble_are_told_apart_as_members(members: list[str], capsys) -> None:
    assert main(["refit", f"run={members[2]}", "how=full"]) == 0
    assert main(["ensemble", *members, "name=all"]) == 0
    for other, reason in ((f"{members[2]}-full", "is a refit:"), ("outputs/s/tiny/all/seed0", "is made of other runs")):
        capsys.readouterr()
        assert main(["ensemble", members[0], other]) == 2
        assert reason in capsys.readouterr().err


def test_refits_stand_for_the_members_under_the_weights_that_were_found(members: list[str], capsys) -> None:
    assert main(["ensemble", *members, "how=rank", "name=all"]) == 0
    asked = ["recommend", "outputs/s/tiny/all/seed0", "out=sub.csv", "k=3", "refit=full"]
    assert main(asked) == 2
    missing = "seed0-full is not there; make it with recsys refit run="
    assert missing in capsys.readouterr().err
    for member in members:
        assert main(["refit", f"run={member}", "how=full"]) == 0
        assert (
            main(["recommend", f"run={member}", f"out={member}/own.csv", "k=20", "refit=full", "users=some.txt"]) == 2
        )
    Path("some.txt").write_text("u7\n")
    unseen = 20 - (pd.read_csv("tiny.csv")["user"] == "u7").sum()
    lists = []
    for member in members:
        assert main(["recommend", f"run={member}", "out=own.csv", f"k={unseen}", "refit=full", "users=some.txt"]) == 0
        lists.append(pd.read_csv("own.csv").assign(rank=range(1, unseen + 1)))
    capsys.readouterr()
    assert main([*asked, "users=some.txt"]) == 0
    assert "held out" not in capsys.readouterr().err
    expected = (
        pd.concat(lists).assign(points=lambda all: 1 / (60 + all["rank"]) / 3).groupby(["user", "item"])["points"]
    )
    agree(pd.read_csv("sub.csv"), expected.sum(), k=3)


def test_a_second_ensemble_says_which_members_are_others_and_how_to_keep_both(members: list[str], capsys) -> None:
    assert main(["ensemble", *members[1:]]) == 0
    capsys.readouterr()
    assert main(["ensemble", *members]) == 2
    said = capsys.readouterr().err
    assert "ensemble.members has nothing there alone, outputs/s/tiny/a,x=1/seed0 here alone" in said
    assert "name=NAME keeps both, force=true runs over it" in said
