"""Tables as they come out in a terminal of 80 columns."""

import io
import re
from pathlib import Path

from rich.console import Console, RenderableType

from recsys.report.runs import load_run, load_runs
from recsys.report.tables import run_line, run_table, study_table, title_text


def printed(table: RenderableType, *, styled: bool = False) -> list[str]:
    console = Console(file=io.StringIO(), width=80, force_terminal=styled, color_system="standard" if styled else None)
    console.print(table)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def words(lines: list[str], start: str) -> list[str]:
    """The words of the first line that holds `start`."""
    return next(line.split() for line in lines if start in line)


def flowed(lines: list[str]) -> str:
    """The text without line breaks, as a caption is as narrow as its table."""
    return " ".join(" ".join(lines).split())


def results(part: str, hr: float, ndcg: float) -> dict[str, float]:
    """At cutoff 20, then 5, where everything is half as large; recall is hr."""
    by_family = {"hr": hr, "recall": hr, "ndcg": ndcg}
    return {f"{part}/{name}@{k}": value * k / 20 for name, value in by_family.items() for k in (20, 5)}


def test_run_table_has_a_line_per_model_and_a_column_per_cutoff(write_run) -> None:
    metrics = results("test", 0.4, 0.2) | results("val", 0.8, 0.6) | {"test/loss": 3.0}
    run = load_run(write_run(metrics=metrics, baselines={"pop": results("test", 0.04, 0.02)}))
    lines = printed(run_table(run))
    assert words(lines, "metric") == ["metric", "model", "@5", "@20"]
    assert words(lines, "HR = Recall") == ["HR", "=", "Recall", "pop", "0.0100", "0.0400"]
    assert words(lines, "NDCG") == ["NDCG", "pop", "0.0050", "0.0200"]
    assert [line.split()[-2:] for line in lines if "sasrec-ce" in line] == [
        ["0.1000", "0.4000"],
        ["0.0500", "0.2000"],
    ]
    assert words(lines, "(validation)") == ["(validation)", "0.2000", "0.8000"]
    assert "1,234 parameters; best epoch 12 of 0 to 16; fit 40 s; 0.8 GiB" in flowed(lines)


def test_metrics_that_differ_anywhere_keep_their_own_lines(write_run) -> None:
    metrics = {"test/hr@10": 0.2, "test/recall@10": 0.2}
    run = load_run(write_run(metrics=metrics, baselines={"pop": {"test/hr@10": 0.2, "test/recall@10": 0.1}}))
    lines = printed(run_table(run))
    assert words(lines, "HR") == ["HR", "pop", "0.2000"]
    assert words(lines, "Recall") == ["Recall", "pop", "0.1000"]


def test_a_protocol_follows_the_words_of_its_metrics(write_run) -> None:
    values = {"test/negatives_file/hr@10": 0.2, "test/negatives_file/recall@10": 0.2, "test/negatives_file/mrr@10": 0.1}
    lines = printed(run_table(load_run(write_run(metrics=values, baselines={}))))
    assert words(lines, "HR") == ["HR", "=", "Recall,", "negatives_file", "sasrec-ce", "0.2000"]
    assert words(lines, "MRR") == ["MRR,", "negatives_file", "sasrec-ce", "0.1000"]
    assert title_text("uniform_100/ndcg@10") == "NDCG@10, uniform_100"


def test_the_best_is_bold_and_validation_does_not_compete(write_run) -> None:
    metrics = {"test/hr@10": 0.1, "val/hr@10": 0.9, "test/ndcg@10": 0.2, "val/ndcg@10": 0.2}
    baselines = {"pop": {"test/hr@10": 0.3, "test/ndcg@10": 0.1}, "knn": {}}
    run = load_run(write_run(metrics=metrics, baselines=baselines))
    bold = re.findall(r"\x1b\[1[;\d]*m(0\.\d+)", "\n".join(printed(run_table(run), styled=True)))
    assert bold == ["0.3000", "0.2000"]
    assert words(printed(run_table(run)), "knn") == ["knn", "-"]


def test_an_interrupted_run_says_so(write_run) -> None:
    lines = printed(run_table(load_run(write_run(status="interrupted"))))
    assert "interrupted: best epoch so far" in flowed(lines)


def test_study_table_shows_mean_and_deviation_within_80_columns(write_run, tmp_path: Path) -> None:
    for seed, ndcg in enumerate((0.1, 0.2, 0.6)):
        write_run(seed=seed, metrics={"test/ndcg@10": ndcg, "test/hr@10": 0.5, "test/mrr@10": 0.1})
    write_run(name="sasrec-bce,model.dim=128", metrics={"test/ndcg@10": 0.25}, seconds={"fit": 12345})
    lines = printed(study_table(load_runs(tmp_path)[0]))
    assert words(lines, "model") == ["model", "n", "NDCG@10", "HR@10", "MRR@10", "ep.", "fit", "s", "GiB"]
    expected = ["sasrec-ce", "3", "0.3000", "±.2646", "0.5000", "±.0000", "0.1000", "±.0000", "17", "40", "0.8"]
    assert words(lines, "sasrec-ce ") == expected
    assert words(lines, "sasrec-bce,") == ["sasrec-bce,", "1", "0.2500", "-", "-", "17", "12345", "0.8"]
    assert any(line.split() == ["model.dim=128"] for line in lines)
    assert words(lines, "pop") == ["pop", "0.0400", "0.0800", "-"]


def test_the_best_mean_is_bold_in_each_data_set(write_run, tmp_path: Path) -> None:
    write_run(name="a", metrics={"test/ndcg@10": 0.3})
    write_run(name="b", metrics={"test/ndcg@10": 0.2})
    write_run(name="b", data="harder", metrics={"test/ndcg@10": 0.01})
    lines = printed(study_table(load_runs(tmp_path)[0], metrics=["ndcg@10"]), styled=True)
    assert re.findall(r"\x1b\[1m(0\.\d+)", "\n".join(lines)) == ["0.0400", "0.3000"]


def test_rows_that_may_not_be_compared_stand_under_their_own_heading(write_run, tmp_path: Path) -> None:
    write_run(seed=0)
    write_run(seed=1, fingerprints={"data": "d1", "split": "s2", "protocol": "full"})
    lines = printed(study_table(load_runs(tmp_path)[0]))
    assert [line.strip() for line in lines if line.startswith("toy")] == ["toy: split s1", "toy: split s2"]
    assert "Runs on toy differ in split" in flowed(lines)


def test_names_with_brackets_are_shown_as_they_are(write_run, tmp_path: Path) -> None:
    write_run(name="sasrec[red]")
    runs, _ = load_runs(tmp_path)
    assert any("sasrec[red]" in line for line in printed(study_table(runs)))
    assert any("sasrec[red]" in line for line in printed(run_table(runs[0])))


def test_runs_that_rank_nothing_stand_in_a_table_of_their_losses(write_run, tmp_path: Path) -> None:
    for seed, loss in enumerate((2.0, 4.0)):
        write_run(name="s3rec", seed=seed, metrics={"train/loss": loss, "train/mip": 1.0}, baselines={})
    alone = printed(study_table(load_runs(tmp_path)[0]))
    assert words(alone, "model") == ["model", "n", "loss", "mip", "ep.", "fit", "s", "GiB"]
    assert words(alone, "s3rec") == ["s3rec", "2", "3.0000", "1.0000", "17", "40", "0.8"]
    assert "test set" not in flowed(alone)
    write_run()
    both = printed(study_table(load_runs(tmp_path)[0]))
    assert [line.split()[0] for line in both if line.rstrip().endswith("0.8")] == ["s3rec", "sasrec-ce"]
    assert flowed(both).index("pre-trainings: losses") < flowed(both).index("test set, mean")


def test_the_end_of_a_grid_shows_the_metrics_of_the_protocol_that_ranked_it(write_run, tmp_path: Path) -> None:
    metrics = {"val/uniform_100/ndcg@10": 0.5, "test/uniform_100/ndcg@10": 0.25, "test/uniform_100/hr@10": 0.75}
    write_run(metrics=metrics, baselines={})
    runs, _ = load_runs(tmp_path)
    table = printed(study_table(runs, metrics=("ndcg@10", "hr@10")))
    assert words(table, "sasrec-ce")[2:4] == ["0.2500", "0.7500"]
    assert "toy, uniform_100" in flowed(table)
    assert "NDCG@10 0.2500, HR@10 0.7500, uniform_100" in run_line(runs[0], metrics=("ndcg@10", "hr@10")).plain


def test_no_runs_give_a_table_that_says_so() -> None:
    assert "There is no finished run." in printed(study_table([]))[-1]
