"""The ledger's file: lines from many processes, columns that come later, lines that are broken."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest

from recsys.report.ledger import append, differing, read


def line(run: str, **facts: object) -> dict[str, object]:
    return {"seed": 0, "note": None, "run": run} | facts


def append_many(file: Path, job: int) -> None:
    for number in range(20):
        append(file, line(f"{job}/{number}", **{f"test/metric{job}": number}))


def test_jobs_side_by_side_lose_no_line(tmp_path: Path) -> None:
    """Each job brings a column of its own, so the file is rewritten while others append."""
    file = tmp_path / "outputs/ledger.csv"
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        list(pool.map(append_many, [file] * 4, range(4)))
    table = pd.read_csv(file)
    assert sorted(table["run"]) == sorted(f"{job}/{number}" for job in range(4) for number in range(20))
    for job in range(4):
        own = table[table["run"].str.startswith(f"{job}/")]
        assert own[f"test/metric{job}"].tolist() == list(range(20))
        assert table[f"test/metric{job}"].count() == 20
    lines, problems = read(file)
    assert len(lines) == 80
    assert not problems


def test_text_with_commas_quotes_and_line_breaks_stays_one_line(tmp_path: Path) -> None:
    file = tmp_path / "ledger.csv"
    append(file, line("a", note='one, "two"\nthree'))
    append(file, line("b"))
    assert [one["note"] for one in read(file)[0]] == ['one, "two" three', ""]
    assert len(file.read_text().splitlines()) == 3


def test_a_broken_line_is_named_and_stops_nobody(tmp_path: Path) -> None:
    file = tmp_path / "ledger.csv"
    append(file, line("a"))
    with file.open("ab") as text:
        text.write(b'0,"half a \xff line')  # a writer that died
    append(file, line("b", **{"test/ndcg@10": 0.5}))
    lines, problems = read(file)
    assert [(one["run"], one["test/ndcg@10"]) for one in lines] == [("a", ""), ("b", "0.5")]
    assert problems == [f"{file}, line 3 is broken and is left out."]


def test_another_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "ledger.csv"
    file.write_text("user,item\n1,2\n")
    with pytest.raises(ValueError, match="is no ledger: its first line has no column run"):
        append(file, line("a"))
    assert file.read_text() == "user,item\n1,2\n"
    with pytest.raises(FileNotFoundError, match="no run has ended here yet"):
        read(tmp_path / "none.csv")


def test_what_differs_can_be_pasted_into_a_shell() -> None:
    overrides = ["data=csv", "seed=3", "model.dim=8", "init.freeze=[a, b]", "~callbacks.best", 'note="x y"', "loss=bpr"]
    assert differing(overrides) == "model.dim=8 'init.freeze=[a, b]' '~callbacks.best' loss=bpr"
