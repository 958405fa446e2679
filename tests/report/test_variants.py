"""Runs of one name but several configs."""

from pathlib import Path

import pytest

from recsys.report.aggregation import aggregate
from recsys.report.runs import load_runs
from recsys.report.variants import NOT_IDENTITY, differing_keys, flat_config, told_apart


def config(directory: str, *, lr: float, seed: int = 0) -> dict:
    return {
        "optimizer": {"lr": lr, "betas": [0.9, 0.98]},
        "output_dir": directory,
        "seed": seed,
        "log": f"{directory}/x",
    }


def nested(key: str, value: object) -> dict:
    """`a.b`, 1 -> {"a": {"b": 1}}."""
    first, _, rest = key.partition(".")
    return {first: nested(rest, value) if rest else value}


def test_seeds_and_places_are_no_difference(write_run, tmp_path: Path) -> None:
    for seed in range(3):
        write_run(seed=seed, config=config(f"/out/seed{seed}", lr=0.1, seed=seed))
    assert {run.name for run in told_apart(load_runs(tmp_path)[0])} == {"sasrec-ce"}


def test_configs_are_told_apart_by_the_keys_that_differ_and_never_averaged(write_run, tmp_path: Path) -> None:
    write_run(seed=0, config=config("/a", lr=0.1), metrics={"test/ndcg@10": 0.1}, baselines={})
    write_run(seed=1, config=config("/b", lr=0.2), metrics={"test/ndcg@10": 0.3}, baselines={})
    runs, _ = load_runs(tmp_path)
    assert [run.name for run in told_apart(runs)] == ["sasrec-ce (lr=0.1)", "sasrec-ce (lr=0.2)"]
    assert aggregate(runs)["test/ndcg@10"].to_list() == [0.1, 0.3]


def test_the_same_name_on_other_data_is_another_run(write_run, tmp_path: Path) -> None:
    write_run(data="a", config=config("/a", lr=0.1))
    write_run(data="b", config=config("/b", lr=0.2))
    assert {run.name for run in told_apart(load_runs(tmp_path)[0])} == {"sasrec-ce"}


def test_keys_of_one_last_name_are_given_in_full(write_run, tmp_path: Path) -> None:
    write_run(seed=0, config={"a": {"dim": 1}, "b": {"dim": 1}})
    write_run(seed=1, config={"a": {"dim": 2}, "b": {"dim": 3}})
    assert told_apart(load_runs(tmp_path)[0])[1].name == "sasrec-ce (a.dim=2, b.dim=3)"


def test_long_differences_stay_apart(write_run, tmp_path: Path) -> None:
    for seed in range(2):
        write_run(seed=seed, config={"text": "x" * 200 + str(seed)})
    names = [run.name for run in told_apart(load_runs(tmp_path)[0])]
    assert len(set(names)) == 2
    assert all(len(name) < 100 for name in names)


def test_an_absent_key_differs_from_any_value(write_run, tmp_path: Path) -> None:
    write_run(seed=0, config={})
    write_run(seed=1, config={"dim": 8})
    configs = [flat_config(run) for run in load_runs(tmp_path)[0]]
    assert "dim" in differing_keys(configs)


@pytest.mark.parametrize("key", ["study", *NOT_IDENTITY])
def test_what_says_nothing_about_the_result_is_no_difference(write_run, tmp_path: Path, key: str) -> None:
    for seed in range(2):
        write_run(seed=seed, config=nested(key, {"path": seed}))
    assert {run.name for run in told_apart(load_runs(tmp_path)[0])} == {"sasrec-ce"}
