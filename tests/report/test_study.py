"""A study sorted into what may be compared; everything broken is named and left out."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recsys.report.exports import escape, to_frame, to_latex, to_markdown
from recsys.report.leaderboard import against_reference, compare, corrected, every_pair, histogram
from recsys.report.significance import holm
from recsys.report.study import load_study


def test_models_are_ranked_and_each_is_tested_against_the_best_other(write_study) -> None:
    study = load_study(write_study(), metric="ndcg@10")
    (block,) = study.blocks
    assert block.names == ["good", "fair", "poor"]
    assert {name: versus.other for name, versus in block.versus.items()} == {
        "good": "fair",
        "fair": "good",
        "poor": "good",
    }
    assert block.versus["poor"].mark == "***"
    assert study.notes == []


def test_the_test_is_over_users_whose_seeds_are_averaged_first(write_study) -> None:
    root = write_study()
    (block,) = load_study(root, metric="ndcg@10").blocks
    means = {}
    for name in ("good", "poor"):
        frames = [pd.read_parquet(root / "toy" / name / f"seed{seed}/per_user.parquet") for seed in range(3)]
        means[name] = np.mean([frame["ndcg@10"] for frame in frames], axis=0)
    versus = block.versus["poor"]
    assert versus.users.t_test == pytest.approx(stats.ttest_rel(means["poor"], means["good"]).pvalue)
    assert versus.seeds is not None
    assert versus.seeds.n == 3


def test_a_pair_counts_once_in_the_correction() -> None:
    rng = np.random.default_rng(0)
    per_user = {name: pd.DataFrame({0: rng.random(40) + shift}) for name, shift in (("a", 0.05), ("b", 0), ("c", 0))}
    (found,) = corrected([against_reference(["a", "b", "c"], per_user, baseline=None)])
    p = {name: versus.users.randomisation for name, versus in found.items()}  # a-b and b-a are one pair of two
    smaller, larger = sorted([p["b"], p["c"]])
    assert found["a"].holm == found["b"].holm
    assert {found["b"].holm, found["c"].holm} == {min(1, 2 * smaller), max(min(1, 2 * smaller), larger)}


def test_models_that_no_seed_changes_have_no_test_over_seeds() -> None:
    solved = pd.DataFrame({seed: [0.1, 0.7, 0.3] for seed in range(3)})
    trained = pd.DataFrame({seed: [0.1, 0.2 + seed / 10, 0.1] for seed in range(3)})
    assert compare(solved, solved + 0.1)[1] is None
    assert compare(solved, trained)[1] is not None


def test_with_a_baseline_all_are_tested_against_it(write_study) -> None:
    (block,) = load_study(write_study(), metric="ndcg@10", baseline="fair").blocks
    assert {name: versus.other for name, versus in block.versus.items()} == {"good": "fair", "poor": "fair"}
    assert block.versus["good"].users.mean > 0 > block.versus["poor"].users.mean


def test_a_baseline_without_values_per_user_tests_nothing_and_says_so(write_study) -> None:
    root = write_study()
    for file in (root / "toy/fair").rglob("per_user.parquet"):
        file.unlink()
    study = load_study(root, metric="ndcg@10", baseline="fair")
    assert study.blocks[0].versus == {}
    assert "Nothing is tested on toy against fair: its values per user can't be had." in study.notes


def test_every_pair_is_compared_once_and_corrected_together(write_study) -> None:
    (block,) = load_study(write_study(), metric="ndcg@10").blocks
    found = every_pair(block.means)
    assert list(found) == [("good", "fair"), ("good", "poor"), ("fair", "poor")]
    assert all(corrected >= compared.randomisation for compared, corrected in found.values())


def test_histogram_counts_every_user_once() -> None:
    assert histogram(np.array([-1, -0.4, 0, 0, 0.5, 0.51, 1]), top=1, bins=2) == [1, 1, 2, 0, 3]


def test_unknown_metric_and_baseline_are_named(write_study) -> None:
    root = write_study()
    with pytest.raises(ValueError, match=r"metric \(ndgc@10\) is in no run's test results; did you mean ndcg@10"):
        load_study(root, metric="ndgc@10")
    with pytest.raises(ValueError, match=r"baseline \(pop\) must be the name of a run in the study; they are: fair; "):
        load_study(root, metric="ndcg@10", baseline="pop")


def test_a_study_without_a_result_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no finished run that ranks; run recsys train first"):
        load_study(tmp_path, metric="ndcg@10")


def test_a_study_of_pretrainings_alone_says_what_to_do(write_run, tmp_path: Path) -> None:
    first = write_run(name="s3rec", metrics={"train/loss": 2.0}, baselines={})
    with pytest.raises(ValueError, match=r"its 1 finished run ranks nothing \(pre-training\): start one from there"):
        load_study(tmp_path, metric="ndcg@10")
    write_run(name="s3rec", seed=1, metrics={"train/loss": 2.0}, baselines={})
    going = tmp_path / "going"
    going.mkdir()
    (going / "metrics.csv").write_text("epoch\n0\n")
    with pytest.raises(ValueError, match="its 2 finished runs rank nothing") as caught:
        load_study(tmp_path, metric="ndcg@10")
    assert f"'init.source=\"{first}\"'" in str(caught.value)
    assert f"{going} has no run.json" in str(caught.value)


def test_broken_runs_are_named_and_left_out(write_study) -> None:
    root = write_study()
    broken, unfinished, bare = (root / "toy" / name for name in ("good/seed0", "fair/seed1", "poor/seed2"))
    (broken / "run.json").write_text('{"status": "fin')
    (unfinished / "run.json").unlink()
    (bare / "per_user.parquet").unlink()
    study = load_study(root, metric="ndcg@10")
    assert study.blocks[0].table.set_index("name")["seeds"].to_dict() == {"good": 2, "fair": 2, "poor": 3}
    assert list(study.blocks[0].per_user["poor"]) == [0, 1]
    for path in (broken, unfinished, bare):
        assert any(str(path) in note for note in study.notes), path


@pytest.mark.parametrize("key", ["data", "split", "protocol"])
def test_other_fingerprints_make_another_block_and_a_note(write_study, key: str) -> None:
    root = write_study()
    for seed in range(3):
        file = root / f"toy/good/seed{seed}/run.json"
        record = json.loads(file.read_text())
        record["fingerprints"][key] = "other"
        file.write_text(json.dumps(record))
    study = load_study(root, metric="ndcg@10")
    assert sorted(block.names for block in study.blocks) == [["fair", "poor"], ["good"]]
    assert all("good" not in versus.other for block in study.blocks for versus in block.versus.values())
    assert f"Runs on toy differ in {key}: they are kept apart, don't compare them." in study.notes


@pytest.mark.parametrize("metrics", [{"test/ndcg@10": math.nan, "test/hr@10": 0.1}, {"test/hr@10": 0.1}])
def test_a_run_without_the_metric_is_left_out_and_not_counted(write_study, metrics: dict) -> None:
    root = write_study()
    file = root / "toy/good/seed1/run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"metrics": metrics}))
    study = load_study(root, metric="ndcg@10")
    assert study.blocks[0].table.set_index("name").loc["good", "seeds"] == 2
    assert f"{file.parent} has no finite test/ndcg@10 and is left out." in study.notes


def test_a_pretraining_is_named_and_has_no_line(write_study, write_run) -> None:
    root = write_study()
    path = write_run(name="s3rec", metrics={"train/loss": 2.0}, baselines={})
    study = load_study(root, metric="ndcg@10")
    assert "s3rec" not in study.blocks[0].names
    assert f"{path} ranks nothing (a pre-training) and has no line." in study.notes


def test_markdown_marks_the_best_and_keeps_names_as_they_are(write_study) -> None:
    text = to_markdown(load_study(write_study(), metric="ndcg@10"))
    good, poor = (next(line for line in text.splitlines() if f"`{name}`" in line) for name in ("good", "poor"))
    assert "**0." in good
    assert r"\*\*\*" in poor
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_latex_has_as_many_cells_as_columns_and_escapes(write_study) -> None:
    text = to_latex(load_study(write_study(), metric="ndcg@10"))
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert {row.count(" & ") for row in rows} == {2}
    assert r"\begin{tabular}{lrl}" in text
    assert r"\toprule" in text
    assert escape("a_b 5% {x}^2 \\") == r"a\_b 5\% \{x\}\textasciicircum{}2 \textbackslash{}"


def test_the_frame_holds_every_number(write_study) -> None:
    frame = to_frame(load_study(write_study(), metric="ndcg@10")).set_index("name")
    assert frame.loc["poor", "versus"] == "good"
    assert frame.loc["poor", "users_n"] == 120
    assert frame.loc["poor", "p_holm"] < 0.001
    assert not math.isnan(frame.loc["good", "seeds_t_test"])


def test_a_heading_says_what_tells_settings_apart(write_study) -> None:
    root = write_study()
    assert [block.heading for block in load_study(root, metric="ndcg@10").blocks] == ["toy"]
    for name, audit in (("poor", {}), ("fair", {"audit": {"split": "temporal, the last fifth"}})):
        for file in (root / "toy" / name).rglob("run.json"):
            record = json.loads(file.read_text()) | audit
            record["fingerprints"]["split"] = name[0] * 64
            file.write_text(json.dumps(record))
    headings = {block.heading for block in load_study(root, metric="ndcg@10").blocks}
    assert {f"toy: split {'p' * 12}", "toy: temporal, the last fifth"} < headings


def test_nothing_is_tested_against_a_best_model_without_values_per_user(write_study) -> None:
    root = write_study()
    for file in (root / "toy/good").rglob("per_user.parquet"):
        file.unlink()
    study = load_study(root, metric="ndcg@10")
    assert study.blocks[0].names[0] == "good"
    assert study.blocks[0].versus == {}
    assert "Nothing is tested on toy: good, the best, has no values per user." in study.notes


def test_both_sides_of_a_pair_show_one_comparison(write_study) -> None:
    (block,) = load_study(write_study(), metric="ndcg@10").blocks
    first, second = block.versus["good"], block.versus["fair"]
    assert (first.other, second.other) == ("fair", "good")
    assert first.users == second.users.mirrored()
    assert (first.users.low, first.users.high) == (-second.users.high, -second.users.low)
    pair = every_pair(block.means, block.versus)["good", "fair"]
    assert pair[0] == first.users
    assert pair[1] >= first.holm  # corrected for more pairs


def test_holm_corrects_over_all_blocks(write_study) -> None:
    (block,) = load_study(write_study(), metric="ndcg@10").blocks
    alone, (twice, again) = corrected([block.versus])[0], corrected([block.versus, block.versus])
    assert twice == again
    raw = [versus.users.randomisation for name, versus in block.versus.items() if name != "good"]
    assert [alone[name].holm for name in ("fair", "poor")] == holm(raw)
    assert [twice[name].holm for name in ("fair", "poor")] == holm(raw * 2)[:2]
