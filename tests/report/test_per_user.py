"""Values per user, averaged over seeds, and every way in which they may be unusable."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.report.per_user import mean_per_user, read_per_user, trusted
from recsys.report.runs import load_run, load_runs


def test_seeds_are_columns_and_users_are_sorted(write_scored, tmp_path: Path) -> None:
    write_scored(np.array([0.0, 1.0]), users=[7, 3], seed=0)
    write_scored(np.array([0.5, 0.5]), users=[3, 7], seed=1)
    tables, problems = mean_per_user(load_runs(tmp_path)[0], metric="ndcg@10")
    assert problems == []
    assert tables["sasrec-ce"].mean(axis=1).to_dict() == {3: 0.75, 7: 0.25}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda file: file.unlink(), "is missing"),
        (lambda file: file.write_bytes(b"PAR1 cut off"), "can't be read"),
        (lambda file: file.write_bytes(b""), "can't be read"),
        (lambda file: pd.DataFrame({"user": [0, 1]}).to_parquet(file), "has no column ndcg@10"),
        (lambda file: pd.DataFrame({"ndcg@10": [0.0]}).to_parquet(file), "has no column user"),
        (lambda file: pd.DataFrame({"user": [0, 0], "ndcg@10": [0.5, 0.5]}).to_parquet(file), "users twice"),
        (lambda file: pd.DataFrame({"user": [0, 1], "ndcg@10": [0.5, None]}).to_parquet(file), "missing"),
        (lambda file: pd.DataFrame({"user": [], "ndcg@10": []}).to_parquet(file), "wrong type"),
        (lambda file: pd.DataFrame({"user": [0, 1], "ndcg@10": ["a", "b"]}).to_parquet(file), "wrong type"),
    ],
)
def test_a_spoiled_file_is_named_and_left_out(write_scored, tmp_path: Path, spoil, message: str) -> None:
    write_scored(np.array([0.0, 1.0]), seed=0)
    file = write_scored(np.array([0.0, 1.0]), seed=1) / "per_user.parquet"
    spoil(file)
    with pytest.raises(ValueError, match=message):
        read_per_user(load_run(file.parent), metric="ndcg@10")
    tables, problems = mean_per_user(load_runs(tmp_path)[0], metric="ndcg@10")
    assert list(tables["sasrec-ce"]) == [0]
    assert len(problems) == 1
    assert problems[0].startswith(str(file))
    assert "left out of the paired tests" in problems[0]


def test_a_run_whose_record_and_values_contradict_each_other_is_not_trusted(write_scored, tmp_path: Path) -> None:
    good, bad = (write_scored(np.array([0.0, 1.0]), seed=seed) for seed in range(2))
    users = pd.read_parquet(bad / "per_user.parquet")
    for column in ("ndcg@10", "hr@10"):  # of whatever metric, not of the deciding one alone
        users.assign(**{column: 0.9}).to_parquet(bad / "per_user.parquet")
        record = json.loads((bad / "run.json").read_text())
        record["metrics"] |= {f"test/{column}": 0.5}
        (bad / "run.json").write_text(json.dumps(record))
        runs, problems = trusted(load_runs(tmp_path)[0])
        assert [run.path for run in runs] == [good]
        assert f"mean {column} of 0.9000, run.json says 0.5000" in problems[0]


def test_a_run_on_other_users_is_left_out(write_scored, tmp_path: Path) -> None:
    for seed in range(2):
        write_scored(np.array([0.0, 1.0]), seed=seed)
    write_scored(np.array([0.0, 1.0]), seed=2, users=[0, 9])
    tables, problems = mean_per_user(load_runs(tmp_path)[0], metric="ndcg@10")
    assert list(tables["sasrec-ce"]) == [0, 1]
    assert "is of other users (2) than most runs (2)" in problems[0]
