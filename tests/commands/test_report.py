"""`recsys report` from the command line: files, options, mistakes, watching; and data made again from a record."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate

from recsys.commands import report
from recsys.commands.cli import main
from recsys.data.splits import LeaveOneOut
from recsys.options.report import options_of
from recsys.report.runs import load_run
from recsys.runs.data import asked_users


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """Six users who chose items u, u+1, ..., u+4, in this order."""
    file = tmp_path / "data" / "my.csv"
    file.parent.mkdir()
    rows = [(f"u{user}", user + step, step) for user in range(6) for step in range(5)]
    pd.DataFrame(rows, columns=["user", "item", "time"]).to_csv(file, index=False)
    return file


def config_of(file: Path) -> dict:
    reader = {"_target_": "recsys.data.sources.table.Table", "timestamp": "time", "user": "user", "item": "item"}
    data = {"_target_": "recsys.data.dataset.InteractionDataset", "name": "toy", "path": str(file), "reader": reader}
    data["cache_dir"] = str(file.parent / "cache")
    return {"data": data, "split": {"_target_": "recsys.data.splits.LeaveOneOut"}}


@pytest.fixture
def study(tmp_path: Path, ratings: Path) -> Path:
    """Two models, two seeds, on the ratings."""
    config = config_of(ratings)
    sequences = instantiate(config["data"]).sequences()
    split = LeaveOneOut()(sequences)
    prints = {"data": sequences.fingerprint, "split": split.fingerprint(), "protocol": "full"}
    for name, scores in (("a", [1, 0, 1, 1, 0, 1]), ("b", [0, 0, 1, 0, 0, 0])):
        for seed in range(2):
            directory = tmp_path / "study/toy" / name / f"seed{seed}"
            directory.mkdir(parents=True)
            record = {"status": "finished", "name": name, "data": "toy", "seed": seed, "config": config}
            record |= {"fingerprints": prints, "num_parameters": 1, "seconds": {"fit": 1}, "peak_memory_gb": None}
            record |= {
                "best_epoch": 0,
                "epochs": 1,
                "metrics": {"test/ndcg@10": float(np.mean(scores))},
                "baselines": {},
            }
            (directory / "run.json").write_text(json.dumps(record))
            frame = pd.DataFrame({"user": [f"u{user}" for user in range(6)], "ndcg@10": np.float32(scores)})
            frame.to_parquet(directory / "per_user.parquet")
    return tmp_path / "study"


def test_the_verb_writes_every_file_and_prints_the_table(study: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["report", str(study)]) == 0
    assert {path.name for path in (study / "report").iterdir()} == set(report.FILES)
    printed = capsys.readouterr().out
    assert "NDCG@10" in printed
    assert "Holm's correction" in printed
    page = (study / "report/index.html").read_text()
    assert "by length of the user" in page
    assert "Items that every model misses" in page  # those of users u1 and u4
    assert pd.read_csv(study / "report/table.csv")["name"].to_list() == ["a", "b"]


def test_what_is_chosen_goes_where_it_is_sent(study: Path, tmp_path: Path) -> None:
    assert main(["report", str(study), "baseline=b", "data=false", f"out={tmp_path / 'x'}"]) == 0
    assert "against <b>b</b>" in (tmp_path / "x/index.html").read_text()
    assert not (study / "report").exists()


def test_data_that_is_gone_or_changed_costs_the_strata_only(
    study: Path, ratings: Path, capsys: pytest.CaptureFixture
) -> None:
    ratings.write_text(ratings.read_text() + "u9,1,1\nu9,2,2\nu9,3,3\n")
    assert main(["report", str(study)]) == 0
    printed = capsys.readouterr().out
    assert "No strata and no items for toy: " in printed
    assert "the data has another fingerprint than when the run was trained" in printed
    ratings.unlink()
    assert main(["report", str(study)]) == 0
    assert "does not exist" in capsys.readouterr().out
    assert "Where models are good" not in (study / "report/index.html").read_text()


def test_facts_of_test_users_by_hand(study: Path) -> None:
    asked, remarks = asked_users(load_run(study / "toy/a/seed0"))
    users = asked.facts.set_index("user")
    assert remarks == []
    assert users["recent"].to_list() == [tuple(str(user + step) for step in range(4)) for user in range(6)]
    assert users["history"].to_list() == [4] * 6
    assert users["item"].to_list() == [user + 4 for user in range(6)]
    # training sees u, u+1, u+2 of each user u, so item i is in min(3, 8 - i) rows for i >= 2
    assert users["popularity"].to_list() == [3, 3, 2, 1, 0, 0]


def test_items_go_by_their_titles_or_by_ids_with_a_remark(study: Path, ratings: Path) -> None:
    titles = {
        "_target_": "recsys.data.attributes.AttributeFile",
        "reader": {"_target_": "recsys.data.attributes.ItemTable"},
    }
    titles["reader"] |= {"item": "item", "value": "title"}
    for record in study.rglob("run.json"):
        content = json.loads(record.read_text())
        content["config"]["data"]["titles"] = titles
        record.write_text(json.dumps(content))
    run = load_run(study / "toy/a/seed0")
    asked, remarks = asked_users(run)
    assert asked.name(4) == "4"
    assert "Items of toy are shown by their ids: attribute title: there is no titles.tsv" in remarks[0]
    (ratings.parent / "titles.csv").write_text("item,title\n1,One\n2,Two\n")
    asked, remarks = asked_users(run)
    assert remarks == []
    assert [asked.name(item) for item in (1, 2, 3)] == ["One", "Two", "3"]
    assert asked.facts["recent"][0] == ("0", "One", "Two", "3")
    assert main(["report", str(study)]) == 0
    assert "Two" in (study / "report/index.html").read_text()


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "recsys.data.locations.os.system",
        "recsys.data.locations.shutil.rmtree",
        "recsys.data.dataset.Path",
        "recsys.runs.training.main",
        "recsys.data.nowhere.Thing",
        "recsys.data.interactions.k_core",
    ],
)
def test_a_record_can_make_classes_of_recsys_data_only(study: Path, target: str) -> None:
    run = load_run(study / "toy/a/seed0")
    for node in ({"_target_": target}, {"_target_": "recsys.data.splits.LeaveOneOut", "x": [{"_target_": target}]}):
        for key in ("data", "split"):
            with pytest.raises(ValueError, match=r"is not a class of recsys\.data"):
                asked_users(replace(run, config=run.config | {key: node}))


@pytest.mark.parametrize("key", ["data", "split"])
def test_a_record_without_config_is_named(study: Path, key: str) -> None:
    run = load_run(study / "toy/a/seed0")
    for node in (None, {}, "ml-1m"):
        with pytest.raises(ValueError, match=f"has no config.{key}; run it again"):
            asked_users(replace(run, config=run.config | {key: node}))


def test_a_record_whose_reader_was_emptied_is_named(study: Path) -> None:
    run = load_run(study / "toy/a/seed0")
    with pytest.raises(ValueError, match="can't be made again"):
        asked_users(replace(run, config=run.config | {"data": run.config["data"] | {"reader": {}}}))


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "report takes one folder of runs, got 0"),
        (["a", "b"], "got 2"),
        (["a", "metrics=hr@10"], "metrics: unknown key of report; did you mean metric?"),
        (["a", "zzz=1"], "its keys are metric, baseline, out, data, watch, every"),
        (["a", "metric="], "metric is empty"),
        (["a", "watch=maybe"], r"watch \(maybe\) must be true or false"),
        (["a", "every=0"], r"every \(0\) must be a positive number"),
        (["a", "every=soon"], r"every \(soon\) must be a positive number"),
    ],
)
def test_mistakes_are_one_sentence(argv: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        options_of(argv)


def test_a_folder_may_be_called_like_a_run(tmp_path: Path) -> None:
    folder = tmp_path / "sasrec-ce,model.dim=8"
    folder.mkdir()
    options = options_of([str(folder), "--watch", "metric=test/hr@10"])
    assert (options.study, options.watch, options.metric) == (folder, True, "hr@10")


def test_the_command_line_reports_a_missing_folder(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["report", str(tmp_path / "none")]) == 2
    assert "none is not a directory" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["report", "--help"])
    assert "baseline=NAME" in capsys.readouterr().out


def test_watching_renders_on_every_change_and_waits_for_the_first_result(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    hidden = [file.rename(file.with_name("hidden")) for file in study.rglob("run.json")]
    rendered, looks = [], iter(range(4))

    def sleep(seconds: float) -> None:
        look = next(looks)
        rendered.append((study / "report/index.html").exists())
        if look == 1:  # two looks without a result, then one, then nothing new
            for file in hidden:
                file.rename(file.with_name("run.json"))
        if look == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(report, "time", SimpleNamespace(sleep=sleep))
    assert main(["report", str(study), "watch=true"]) == 0
    assert rendered == [False, False, True, True]
    printed = capsys.readouterr().out
    assert printed.count("waiting: ") == 1
    assert printed.count("report: ") == 1
    assert 'http-equiv="refresh"' in (study / "report/index.html").read_text()
