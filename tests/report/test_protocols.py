"""Protocols that order models otherwise, against orders by hand; what is broken or incomplete is named."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.report.leaderboard import Block
from recsys.report.page_data import pairs
from recsys.report.protocols import OWN, Orders
from recsys.report.study import load_study

U = 200


def evaluated(directory: Path, option: str, scores: np.ndarray, *, protocol: str = "100 negatives") -> None:
    """As `recsys evaluate` writes it, under the label of the option."""
    file = directory / "evaluations.json"
    record = json.loads(file.read_text()) if file.exists() else {"best_epoch": 12, "evaluations": {}}
    record["fingerprints"] = {"data": "d1", "split": "s1"}
    metrics = {f"test/{option}/ndcg@10": float(scores.mean())}
    record["evaluations"][option] = {"protocol": protocol, "label": option, "metrics": metrics, "baselines": {}}
    file.write_text(json.dumps(record))
    frame = pd.DataFrame({"user": range(len(scores)), f"{option}/ndcg@10": scores.astype(np.float32)})
    frame.to_parquet(directory / f"per_user_{option}.parquet")


def hits(share: float) -> np.ndarray:
    return (np.arange(U) < share * U).astype(float)


@pytest.fixture
def runs(write_scored) -> dict[str, Path]:
    """Under their own protocol a > b > c, under uniform_100 b > a > c: for each user alike, so that a and b turn."""
    full, sampled = {"a": 0.8, "b": 0.5, "c": 0.1}, {"a": 0.6, "b": 0.9, "c": 0.2}
    found = {name: write_scored(hits(share), name=name) for name, share in full.items()}
    for name, share in sampled.items():
        evaluated(found[name], "uniform_100", hits(share))
    return found


def block_of(root: Path) -> tuple[Block, list[str]]:
    study = load_study(root, metric="ndcg@10")
    return study.blocks[0], list(study.notes)


def test_an_order_that_turns_is_told_with_its_certainty(runs: dict[str, Path], tmp_path: Path) -> None:
    block, notes = block_of(tmp_path)
    assert notes == []
    (orders,) = block.orders
    assert (orders.first, orders.second, orders.num_pairs) == (OWN, "uniform_100", 3)
    assert orders.tau == pytest.approx(1 / 3)
    ((leader, other, p_first, p_second),) = orders.flips
    assert (leader, other) == ("a", "b")
    assert max(p_first, p_second) <= 3 * 2e-5  # 60 users differ, all in one direction; three pairs
    assert "1 of 3 pairs change places, 1 of them (*)" in orders.sentence()
    assert [protocol.scores()["c"] for protocol in block.protocols] == pytest.approx([0.1, 0.2])
    assert pairs(block)["models"] == ["a", "b", "c"]


def test_a_flip_by_chance_is_not_called_sure(write_scored, tmp_path: Path) -> None:
    for name, own, other in (("a", 0.51, 0.50), ("b", 0.50, 0.51)):
        evaluated(write_scored(hits(own), name=name), "popularity_100", hits(other))
    (orders,) = block_of(tmp_path)[0].orders
    assert orders.tau == -1
    assert not orders.flips[0].is_sure
    assert "0 of them (*)" in orders.sentence()


def test_protocols_that_agree_say_so() -> None:
    assert Orders("full", "uniform_100", 1.0, 3, []).sentence().endswith("tau 1.00: no two change places.")


def test_what_is_missing_broken_or_other_is_named_and_left_out(runs: dict[str, Path], tmp_path: Path) -> None:
    evaluated(runs["a"], "popularity_100", hits(0.5))
    block, notes = block_of(tmp_path)
    assert len(block.orders) == 1
    assert any("popularity_100 is known of 1 of 3 runs alone" in note for note in notes)
    for name, protocol in (("b", "100 negatives"), ("c", "50 negatives")):
        evaluated(runs[name], "popularity_100", hits(0.3), protocol=protocol)
    assert any("popularity_100 was not the same protocol for all runs" in note for note in block_of(tmp_path)[1])
    (runs["b"] / "per_user_uniform_100.parquet").write_text("half a file")
    block, notes = block_of(tmp_path)
    assert block.orders == []
    assert any(
        "per_user_uniform_100.parquet, which evaluations.json speaks of, can't be read" in note for note in notes
    )
    (runs["a"] / "evaluations.json").write_text("{")
    assert any("evaluations.json is broken" in note for note in block_of(tmp_path)[1])


def test_the_runs_own_protocol_evaluated_again_is_no_other(runs: dict[str, Path], tmp_path: Path) -> None:
    for directory in runs.values():
        evaluated(directory, "full", hits(0.5), protocol="full")
    assert [protocol.name for protocol in block_of(tmp_path)[0].protocols] == ["full", "uniform_100"]
