"""`recsys recommend`: lists against brute force, new users, ids and titles as the user has them, mistakes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.commands.cli import main

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


@pytest.fixture(autouse=True)
def interactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Interactions of 40 users with 20 items, in `tiny.csv` of an otherwise empty current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    rows = [(f"u{user}", 7 * ((user + step) % 20), step) for user in range(40) for step in range(rng.integers(4, 12))]
    frame = pd.DataFrame(rows, columns=["user", "item", "timestamp"])
    frame.to_csv("tiny.csv", index=False)
    return frame


def recommended(*argv: str, out: str = "sub.csv") -> pd.DataFrame:
    assert main(["recommend", "run=run", f"out={out}", *argv]) == 0
    assert not list(Path(out).parent.glob("*.partial"))
    return pd.read_parquet(out) if out.endswith("parquet") else pd.read_csv(out, sep="\t" if "tsv" in out else ",")


def check(table: pd.DataFrame, interactions: pd.DataFrame, *, users: list[str], k: int) -> None:
    """K distinct, known, unseen items for each of the users, in their order, best first."""
    assert table["user"].drop_duplicates().to_list() == users
    assert (table.groupby("user").size() == k).all()
    assert not table.duplicated(["user", "item"]).any()
    assert set(table["item"]) <= set(interactions["item"])
    assert table.merge(interactions, on=["user", "item"]).empty
    assert (table.groupby("user")["score"].diff().dropna() <= 0).all()


@pytest.mark.parametrize("model", [("model=sasrec", *SASREC), ("model=ease",), ("model=mf", "model.dim=8")])
def test_every_user_gets_k_unseen_items(model: tuple[str, ...], interactions: pd.DataFrame, capsys) -> None:
    assert main([*TRAIN, *model]) == 0
    capsys.readouterr()
    table = recommended("k=5", "batch_size=2")  # more than one stretch
    check(table, interactions, users=sorted(interactions["user"].unique()), k=5)
    said = " ".join(capsys.readouterr().err.split())
    assert f"not been trained on 80 of {len(interactions)} interactions" in said
    assert "recsys refit run=run how=full" in said
    whole = recommended("k=5", out="sub.parquet")
    pd.testing.assert_frame_equal(whole, table, check_dtype=False, rtol=1e-4)
    assert list(recommended("k=5", "scores=false", out="sub.tsv")) == ["user", "item"]


def test_the_lists_of_popularity_by_hand(interactions: pd.DataFrame) -> None:
    assert main([*TRAIN, "model=pop"]) == 0
    table = recommended("k=3")
    train = interactions.groupby("user").head(10**6).sort_values(["user", "timestamp"])
    train = train[train.groupby("user").cumcount(ascending=False) >= 2]
    counts = train["item"].value_counts().reindex(interactions["item"].unique(), fill_value=0)
    for user, rows in table.groupby("user"):
        unseen = counts.drop(interactions.loc[interactions["user"] == user, "item"])
        assert rows["score"].to_list() == sorted(unseen, reverse=True)[:3]
        assert [counts[item] for item in rows["item"]] == rows["score"].to_list()


def test_the_best_epoch_recommends_not_the_last() -> None:
    assert main([*TRAIN, "model=sasrec", *SASREC, "optimizer.lr=0.05"]) == 0
    before = recommended("k=3")
    Path("run/last.ckpt").unlink()
    pd.testing.assert_frame_equal(recommended("k=3"), before)
    Path("run/best.ckpt").unlink()
    assert main(["recommend", "run=run", "out=sub.csv"]) == 2


def test_given_users_in_their_order_and_titles(interactions: pd.DataFrame) -> None:
    assert main([*TRAIN, *SASREC]) == 0
    Path("some.txt").write_text("user\nu7\nu3\n")
    items = sorted(interactions["item"].unique())
    pd.DataFrame({"item": items[:-1], "title": [f"Film, the {item}th" for item in items[:-1]]}).to_csv(
        "titles.csv", index=False
    )
    record = json.loads(Path("run/run.json").read_text())
    reader = {"_target_": "recsys.data.attributes.ItemTable", "value": "title"}
    record["config"]["data"]["titles"] = {"_target_": "recsys.data.attributes.AttributeFile", "reader": reader}
    Path("run/run.json").write_text(json.dumps(record))
    table = recommended("users=some.txt", "titles=true", "k=4")
    check(table, interactions, users=["u7", "u3"], k=4)
    expected = [f"Film, the {item}th" if item != items[-1] else np.nan for item in table["item"]]
    assert table["title"].fillna("-").to_list() == pd.Series(expected).fillna("-").to_list()


def test_a_new_user_with_an_old_ones_history_gets_the_same_list(interactions: pd.DataFrame, capsys) -> None:
    assert main([*TRAIN, *SASREC]) == 0
    theirs = recommended("k=5").query("user == 'u7'")
    history = interactions.query("user == 'u7'").assign(user="new")
    extra = pd.DataFrame({"user": ["new", "other"], "item": [5000, 7], "timestamp": [99, 1]})
    pd.concat([history, extra]).to_csv("new.csv", index=False)
    table = recommended("k=5", "histories=new.csv")
    assert table["user"].drop_duplicates().to_list() == ["new", "other"]
    assert table.query("user == 'new'")["item"].to_list() == theirs["item"].to_list()
    assert "left out: 1 interaction with items that the data does not know" in " ".join(capsys.readouterr().err.split())


def test_new_users_are_read_in_order_of_time_whatever_the_file_is_called(
    interactions: pd.DataFrame, capsys: pytest.CaptureFixture
) -> None:
    assert main([*TRAIN, *SASREC]) == 0
    theirs = recommended("k=5")["item"].to_list()
    shuffled = interactions.sample(frac=1, random_state=0)
    for time in ("time", "timestamp"):
        shuffled.rename(columns={"timestamp": time}).assign(more=1).to_csv("new.csv", index=False)
        assert recommended("k=5", "histories=new.csv")["item"].to_list() == theirs
    interactions[["user", "item"]].to_csv("new.csv", index=False)
    assert recommended("k=5", "histories=new.csv")["item"].to_list() == theirs
    shuffled[["user", "item"]].to_csv("new.csv", index=False)
    assert recommended("k=5", "histories=new.csv")["item"].to_list() != theirs  # the order does matter
    shuffled.rename(columns={"timestamp": "date"}).to_csv("new.csv", index=False)
    capsys.readouterr()
    assert main(["recommend", "run=run", "out=sub.csv", "histories=new.csv"]) == 2
    assert "which column holds the times is not known ('date'); rename it to timestamp" in capsys.readouterr().err


def test_new_users_without_a_known_item_are_left_out(interactions: pd.DataFrame, capsys) -> None:
    assert main([*TRAIN, "model=itemknn"]) == 0
    pd.DataFrame({"user": ["a", "b", "c"], "item": [-1, 7, -2], "timestamp": 0}).to_csv("new.csv", index=False)
    assert recommended("k=3", "histories=new.csv")["user"].to_list() == ["b"] * 3
    said = capsys.readouterr()
    assert "left out: 2 users without an item that the data knows and keeps, such as a; no rows are" in said.err
    assert said.out.endswith("\n3 items for each of 1 user -> sub.csv\n")
    assert "\n\n3 items" not in said.out
    assert "\n\n" not in said.err


def test_users_of_a_submission(interactions: pd.DataFrame) -> None:
    assert main([*TRAIN, "model=pop"]) == 0
    users = ["u7", "u3", "u39"]
    rows = pd.DataFrame({"item": 7, "user": np.repeat(users, 10)})
    rows.to_csv("sample.csv", index=False)
    rows.to_csv("sample.tsv", index=False, sep="\t")
    rows.to_parquet("sample.parquet")
    for name in ("sample.csv", "sample.tsv", "sample.parquet"):
        check(recommended("k=3", f"users={name}"), interactions, users=users, k=3)


def test_where_nothing_can_be_written_is_said_before_any_work(interactions: pd.DataFrame, capsys) -> None:
    Path("d.csv").mkdir()
    Path("file").touch()
    there = sorted(Path.cwd().rglob("*"))
    for out, reason in (("d.csv", "is a directory"), ("/proc/x/y.csv", "can't"), ("file/x/y.csv", "can't")):
        assert main(["recommend", "run=nowhere", f"out={out}"]) == 2  # no run is looked for
        assert f"out ({out}) {reason}" in capsys.readouterr().err
    assert sorted(Path.cwd().rglob("*")) == there


def test_a_run_without_its_key(interactions: pd.DataFrame, capsys) -> None:
    assert main([*TRAIN, "model=pop", "output_dir='outputs/a,name=b/seed0'"]) == 0
    assert main(["recommend", "outputs/a,name=b/seed0", "out=sub.csv", "k=3"]) == 0
    for argv, reason in (
        (["outputs/a,name=c/seed0"], "outputs/a,name=c/seed0 has no run.json"),
        (["run", "run=run"], "recommend takes one run"),
        ([], "run is required"),
    ):
        capsys.readouterr()
        assert main(["recommend", *argv, "out=sub.csv"]) == 2
        assert reason in capsys.readouterr().err


def test_a_model_with_user_vectors_refuses_new_users(interactions: pd.DataFrame, capsys) -> None:
    assert main([*TRAIN, "model=mf", "model.dim=8"]) == 0
    interactions.head(3).assign(user="new").to_csv("new.csv", index=False)
    assert main(["recommend", "run=run", "out=sub.csv", "histories=new.csv"]) == 2
    said = capsys.readouterr().err
    assert "MatrixFactorisation knows each user by a vector, and of 1 user 1 (such as new) were not in training" in said
    assert not Path("sub.csv").exists()


def test_mistakes_are_one_sentence(interactions: pd.DataFrame, capsys) -> None:
    def said(*argv: str) -> str:
        assert main(["recommend", *argv]) == 2
        return capsys.readouterr().err

    assert "run is required: recsys recommend run=DIRECTORY out=FILE" in said("out=sub.csv")
    assert "out (sub.xls) must end in .csv, .tsv, .parquet" in said("run=run", "out=sub.xls")
    assert "tiles: unknown key of recommend; did you mean titles?" in said("run=run", "out=s.csv", "tiles=true")
    assert "k (ten) must be a whole number of at least 1" in said("run=run", "out=sub.csv", "k=ten")
    assert "scores (no way) must be true or false" in said("run=run", "out=sub.csv", "scores=no way")
    assert "users (gone.txt) does not exist" in said("run=run", "out=sub.csv", "users=gone.txt")
    assert "run has no run.json" in said("run=run", "out=sub.csv")
    assert main([*TRAIN, "model=pop"]) == 0
    capsys.readouterr()
    assert "who has 11 interactions; the catalogue has 20: k=9 is possible for all" in said(
        "run=run", "out=sub.csv", "k=10"
    )
    Path("some.txt").write_text("u7\nnobody\n")
    assert "some.txt: user nobody is not in the data" in said("run=run", "out=sub.csv", "users=some.txt", "k=3")
    Path("some.csv").write_text("name,item\nu7,7\n")
    assert "there is no column 'user', only 'name', 'item'" in said("run=run", "out=s.csv", "users=some.csv", "k=3")
    Path("some.txt").write_text("u7\nu7\n")
    assert "user u7 stands there twice" in said("run=run", "out=sub.csv", "users=some.txt", "k=3")
    pd.DataFrame({"user": ["a"], "item": [-1], "timestamp": [0]}).to_csv("new.csv", index=False)
    assert "nobody of 1 (such as a) has an item that the data knows" in said(
        "run=run", "out=s.csv", "histories=new.csv"
    )
    assert "has no titles (data.titles is null)" in said("run=run", "out=sub.csv", "titles=true", "k=3")
    assert not Path("sub.csv").exists()


@pytest.mark.parametrize("place", ["model", "eval", "data"])
def test_a_record_that_names_anything_else_is_not_made(place: str, interactions: pd.DataFrame, capsys) -> None:
    assert main([*TRAIN, "model=pop"]) == 0
    record = json.loads(Path("run/run.json").read_text())
    record["config"][place]["more"] = {"_target_": "os.system", "command": "touch owned"}
    Path("run/run.json").write_text(json.dumps(record))
    capsys.readouterr()
    for argv in (["recommend", "run=run", "out=sub.csv"], ["evaluate", "run=run"]):
        assert main(argv) == 2
        assert "os.system is not a class of" in capsys.readouterr().err
    assert not Path("owned").exists()
