"""Reading run directories, whole and broken."""

import json
from pathlib import Path

import pytest

from recsys.report.runs import RunStatus, load_run, load_runs


def test_a_run_comes_back_as_written(write_run) -> None:
    directory = write_run(seed=3, metrics={"test/ndcg@10": 0.0875})
    run = load_run(directory)
    assert (run.path, run.status, run.seed) == (directory, RunStatus.FINISHED, 3)
    assert run.metrics == {"test/ndcg@10": 0.0875}
    assert run.baselines["pop"]["test/hr@10"] == 0.08


def test_an_interrupted_run_without_epochs_or_peak_is_a_run(write_run) -> None:
    directory = write_run(status="interrupted", best_epoch=None, epochs=None, peak_memory_gb=None)
    assert load_run(directory).status is RunStatus.INTERRUPTED


def test_keys_of_a_newer_version_are_ignored(write_run) -> None:
    assert load_run(write_run(environment={"torch": "9.9"})).name == "sasrec-ce"


def test_runs_are_found_at_any_depth_in_the_order_of_their_paths(write_run, tmp_path: Path) -> None:
    directories = [write_run(data=data, seed=seed) for data in ("b", "a") for seed in (1, 0)]
    runs, problems = load_runs(tmp_path)
    assert [run.path for run in runs] == sorted(directories)
    assert problems == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"status": "fini', "is not the record of a run (Unterminated string starting at: line 1 column 12"),
        ("", "is not the record of a run (Expecting value: line 1 column 1"),
        ("[1, 2]", "(it must hold one JSON object, got list)"),
        ("{}", "(the key status is missing)"),
    ],
)
def test_a_broken_record_is_a_problem_beside_the_good_ones(write_run, tmp_path: Path, text: str, message: str) -> None:
    write_run(seed=0)
    broken = write_run(seed=1) / "run.json"
    broken.write_text(text)
    runs, problems = load_runs(tmp_path)
    assert [run.seed for run in runs] == [0]
    assert len(problems) == 1
    assert problems[0].startswith(f"{broken} ")
    assert message in problems[0]
    assert problems[0].endswith("start that run again.")


def test_bytes_that_are_no_text_are_a_problem(write_run, tmp_path: Path) -> None:
    (write_run() / "run.json").write_bytes(b"\x80\x81")
    assert "invalid start byte" in load_runs(tmp_path)[1][0]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("seed", "zero", "seed must be int, got 'zero'"),
        ("status", "failed", "'failed' is not a valid RunStatus"),
        ("epochs", "3", "epochs must be int or null, got '3'"),
        ("metrics", {"test/ndcg@10": "high"}, "metrics.test/ndcg@10 must be int or float, got 'high'"),
        ("metrics", None, "metrics must be dict, got None"),
        ("baselines", {"pop": 3}, "baselines.pop must be dict, got 3"),
        ("baselines", {"pop": {"test/hr@10": None}}, "pop.test/hr@10 must be int or float, got None"),
        ("fingerprints", {"split": ["a"]}, "fingerprints.split must be str, got ['a']"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(write_run, key: str, value: object, message: str) -> None:
    directory = write_run()
    record = json.loads((directory / "run.json").read_text()) | {key: value}
    (directory / "run.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match="is not the record of a run") as error:
        load_run(directory)
    assert message in str(error.value)


@pytest.mark.parametrize("key", ["name", "fingerprints", "baselines", "peak_memory_gb"])
def test_a_missing_key_is_named(write_run, key: str) -> None:
    directory = write_run()
    record = json.loads((directory / "run.json").read_text())
    del record[key]
    (directory / "run.json").write_text(json.dumps(record))
    with pytest.raises(ValueError, match=f"the key {key} is missing"):
        load_run(directory)


def test_a_run_that_logged_epochs_but_has_no_record_is_a_problem(write_run, tmp_path: Path) -> None:
    unfinished = write_run() / "run.json"
    unfinished.rename(unfinished.with_name("metrics.csv"))
    runs, problems = load_runs(tmp_path)
    assert runs == []
    assert len(problems) == 1
    assert problems[0].startswith(f"{unfinished.parent} has no run.json: the run is still going or died;")


def test_a_missing_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere is not a directory; give one"):
        load_runs(tmp_path / "nowhere")


def test_a_folder_of_runs_is_told_from_one_that_is_going(write_run, tmp_path: Path) -> None:
    run = write_run()
    with pytest.raises(FileNotFoundError, match=f"runs lie further down; give one of them, such as {run}"):
        load_run(tmp_path)
