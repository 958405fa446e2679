"""Means and deviations against hand-computed ones; what may not be averaged stays apart."""

import math
from pathlib import Path

import pytest

from recsys.report.aggregation import aggregate, notes
from recsys.report.runs import load_runs

OTHER_SPLIT = {"data": "d1", "split": "s2", "protocol": "full"}


def scores(ndcg: float) -> dict[str, float]:
    return {"val/ndcg@10": 0.5, "test/ndcg@10": ndcg, "test/hr@10": 2 * ndcg}


def test_mean_and_sample_deviation_over_seeds(write_run, tmp_path: Path) -> None:
    for seed, ndcg in enumerate((0.1, 0.2, 0.6)):
        write_run(seed=seed, metrics=scores(ndcg), epochs=10 + seed, seconds={"fit": 30 + 3 * seed})
    row = aggregate(load_runs(tmp_path)[0]).iloc[1]
    assert row[["data", "setting", "name", "seeds"]].to_list() == ["toy", "", "sasrec-ce", 3]
    assert row["test/ndcg@10"] == pytest.approx(0.3)
    assert row["test/ndcg@10 std"] == pytest.approx(math.sqrt((0.04 + 0.01 + 0.09) / 2))
    assert row["test/hr@10 std"] == pytest.approx(2 * math.sqrt(0.07))
    assert (row["epochs"], row["seconds"]) == (11, 33)


def test_one_seed_has_no_deviation(write_run, tmp_path: Path) -> None:
    write_run(metrics=scores(0.25))
    row = aggregate(load_runs(tmp_path)[0]).iloc[1]
    assert row["test/ndcg@10"] == 0.25
    assert math.isnan(row["test/ndcg@10 std"])


def test_baselines_come_once_per_data_set_and_first(write_run, tmp_path: Path) -> None:
    for data in ("b", "a"):
        for name in ("sasrec-ce", "gru-ce"):
            for seed in (0, 1):
                write_run(data=data, name=name, seed=seed)
    table = aggregate(load_runs(tmp_path)[0])
    assert table["data"].to_list() == ["a"] * 3 + ["b"] * 3
    assert table["name"].to_list() == ["pop", "gru-ce", "sasrec-ce"] * 2
    assert table["seeds"].to_list() == [0, 2, 2] * 2
    assert table["test/ndcg@10"].to_list() == pytest.approx([0.04, 0.1, 0.1] * 2)
    assert table["epochs"].isna().to_list() == [True, False, False] * 2


def test_a_run_without_epochs_is_averaged_too(write_run, tmp_path: Path) -> None:
    write_run(epochs=None, best_epoch=None, seconds={"total": 1}, baselines={})
    table = aggregate(load_runs(tmp_path)[0])
    assert table["test/ndcg@10"].to_list() == [0.1]
    assert table[["epochs", "seconds"]].isna().to_numpy().all()


def test_a_metric_only_some_runs_have_is_missing_elsewhere(write_run, tmp_path: Path) -> None:
    write_run(name="a", baselines={})
    write_run(name="b", baselines={}, metrics={"test/auc@5": 0.7})
    table = aggregate(load_runs(tmp_path)[0])
    assert table["test/auc@5"].isna().to_list() == [True, False]


def test_different_fingerprints_are_never_averaged(write_run, tmp_path: Path) -> None:
    write_run(seed=0, metrics=scores(0.1))
    write_run(seed=1, metrics=scores(0.2), fingerprints=OTHER_SPLIT)
    write_run(data="other", seed=1)
    runs, _ = load_runs(tmp_path)
    table = aggregate(runs).query("name == 'sasrec-ce' and data == 'toy'")
    assert table["setting"].to_list() == ["split s1", "split s2"]
    assert table["test/ndcg@10"].to_list() == [0.1, 0.2]
    assert notes(runs) == ["Runs on toy differ in split: they are kept apart, don't compare them."]


def test_a_missing_fingerprint_differs_too(write_run, tmp_path: Path) -> None:
    write_run(seed=0)
    write_run(seed=1, fingerprints={"data": "d1", "split": "s1"})
    runs, _ = load_runs(tmp_path)
    assert set(aggregate(runs)["setting"]) == {"protocol full", "protocol unknown"}
    assert "differ in protocol:" in notes(runs)[0]


def test_interrupted_runs_are_left_out_and_named(write_run, tmp_path: Path) -> None:
    write_run(seed=0, metrics=scores(0.1))
    stopped = write_run(seed=1, metrics=scores(0.2), status="interrupted")
    runs, _ = load_runs(tmp_path)
    assert aggregate(runs)["test/ndcg@10"].to_list() == [0.04, 0.1]
    assert notes(runs) == [f"{stopped} was interrupted and is left out."]


def test_a_seed_found_twice_counts_once(write_run, tmp_path: Path) -> None:
    write_run().parent.rename(tmp_path / "copy")
    second = write_run(metrics=scores(0.9))
    runs, _ = load_runs(tmp_path)
    assert aggregate(runs)["test/ndcg@10"].to_list() == [0.04, 0.1]
    assert notes(runs) == [f"{second} repeats seed 0 of sasrec-ce on toy and is left out."]


def test_runs_without_a_metric_of_the_part_have_no_row(write_run, tmp_path: Path) -> None:
    write_run(name="s3rec", metrics={"train/loss": 2.0}, baselines={})
    assert aggregate(load_runs(tmp_path)[0]).empty
    write_run(metrics=scores(0.1), baselines={})
    runs = load_runs(tmp_path)[0]
    assert aggregate(runs)["name"].to_list() == ["sasrec-ce"]
    assert aggregate(runs, part="train/")[["name", "train/loss"]].to_numpy().tolist() == [["s3rec", 2.0]]


def test_no_runs_give_an_empty_frame_and_a_note() -> None:
    assert aggregate([]).empty
    assert notes([]) == ["There is no finished run."]


def test_what_a_model_is_told_leaves_what_it_is_asked_the_same(write_run, tmp_path: Path) -> None:
    same = {"data": "d1", "split": "s1", "protocol": "full"}
    write_run(name="plain", fingerprints=same, baselines={})
    write_run(name="reads", fingerprints=same | {"attributes": "genres"}, baselines={})
    write_run(name="reads", seed=1, fingerprints=same | {"attributes": "years"}, baselines={})
    table = aggregate(load_runs(tmp_path)[0])
    assert table["setting"].unique().tolist() == [""]
    assert table["name"].to_list() == ["plain", "reads (attributes=genres)", "reads (attributes=years)"]


def test_settings_stand_in_the_order_of_their_runs(write_run, tmp_path: Path) -> None:
    for seed, split in enumerate(("second", "first")):
        write_run(seed=seed, baselines={}, fingerprints={"data": "d1", "split": split, "protocol": "full"})
    assert aggregate(load_runs(tmp_path)[0])["setting"].to_list() == ["split second", "split first"]
