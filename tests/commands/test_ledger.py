"""`recsys ledger` and `recsys rerun`: what runs leave in the ledger, and how it is asked."""

import json
from pathlib import Path

import pandas as pd
import pytest

from recsys.commands.cli import main

TINY = ("train", "model=pop", "data=csv", "data.name=tiny", "data.path=tiny.csv", "trainer.accelerator=cpu")


pytestmark = pytest.mark.usefixtures("workplace")


def ledger() -> pd.DataFrame:
    return pd.read_csv("outputs/ledger.csv", keep_default_na=False)


def printed(capsys: pytest.CaptureFixture, *argv: str) -> list[list[str]]:
    """What `recsys ledger` prints into a pipe, as rows of cells."""
    capsys.readouterr()
    assert main(["ledger", *argv]) == 0
    return [row.split("\t") for row in capsys.readouterr().out.splitlines()]


def test_every_run_adds_a_line() -> None:
    assert main([*TINY, "note=first, [a] try"]) == 0
    assert main([*TINY, "-m", "seed=1,2", "study=other", "note=grid"]) == 0
    lines = ledger()
    assert lines["seed"].tolist() == [0, 1, 2]
    assert lines["study"].tolist() == ["scratch", "other", "other"]
    assert lines["note"].tolist() == ["first, [a] try", "grid", "grid"]
    assert set(lines["overrides"]) == {"model=pop data.name=tiny data.path=tiny.csv trainer.accelerator=cpu"}
    for line in lines.to_dict("records"):
        record = json.loads(Path(line["run"], "run.json").read_text())
        assert line["test/ndcg@10"] == pytest.approx(record["metrics"]["test/ndcg@10"], abs=1e-6)


def test_a_finished_run_with_another_note_is_the_same_run(capsys: pytest.CaptureFixture) -> None:
    assert main([*TINY, "note=one"]) == 0
    capsys.readouterr()
    assert main([*TINY, "note=two", "ledger=null"]) == 0
    assert "already finished" in capsys.readouterr().out
    assert len(ledger()) == 1


def test_a_ledger_that_cannot_be_written_stops_no_run(capsys: pytest.CaptureFixture) -> None:
    Path("taken").write_text("not,a,ledger\n")
    assert main([*TINY, "ledger=taken"]) == 0
    assert len(list(Path("outputs").rglob("run.json"))) == 1
    assert Path("taken").read_text() == "not,a,ledger\n"


def test_filters_order_and_columns(capsys: pytest.CaptureFixture) -> None:
    assert main([*TINY, "-m", "seed=2,10,1", "study=pops"]) == 0
    assert main([*TINY, "note=alone"]) == 0
    assert printed(capsys, "study=po*", "sort=-seed", "columns=seed,study", "last=2") == [
        ["seed", "study"],
        ["10", "pops"],
        ["2", "pops"],
    ]
    assert printed(capsys, "seed<=1", "columns=seed")[1:] == [["1"], ["0"]]
    assert printed(capsys, "note=alone", "columns=study")[1:] == [["scratch"]]
    assert "test/mrr@20" in printed(capsys, "columns=all")[0]


def test_mistakes_are_one_sentence(capsys: pytest.CaptureFixture) -> None:
    def said(*argv: str) -> str:
        assert main(list(argv)) == 2
        return capsys.readouterr().err

    assert "outputs/ledger.csv is absent: no run has ended here yet" in said("ledger")
    assert "last (many) must be a whole number" in said("ledger", "last=many")
    assert "few is no number" in said("ledger", "seed>few")
    assert "losses: write COLUMN=PATTERN" in said("ledger", "losses")
    assert "nowhere has no run.json: there is no such folder; " in said("rerun", "nowhere")
    assert "rerun takes one directory of a run, got 0" in said("rerun", "seed=1")
    assert main([*TINY, "output_dir=run"]) == 0
    assert "no column sed; did you mean seed?" in said("ledger", "sed=1")
    assert "optimizer=sgdd: no such option" in said("rerun", "run", "optimizer=sgdd")
    record = json.loads(Path("run/run.json").read_text())
    del record["choices"]
    Path("run/run.json").write_text(json.dumps(record))
    assert "run keeps no command line of recsys train" in said("rerun", "run", "seed=1")


def test_a_rerun_changes_what_it_is_told_and_nothing_else(capsys: pytest.CaptureFixture) -> None:
    assert main([*TINY, "seed=5", "split=ratio", "output_dir=run", "note=before"]) == 0
    capsys.readouterr()
    assert main(["rerun", "run", "seed=6", "split=leave_one_out"]) == 0
    out = capsys.readouterr().out
    assert "  seed is 5 there, 6 here\n" in out
    assert "  split._target_ is recsys.data.splits.Ratio there, recsys.data.splits.LeaveOneOut here\n" in out
    last = ledger().iloc[-1]
    assert (last["seed"], last["note"], last["data"]) == (6, "", "tiny")
    assert "outputs/scratch" in last["run"]
    assert main(["rerun", "run", "-m", "seed=7,8"]) == 0
    assert ledger()["seed"].tolist() == [5, 6, 7, 8]
    assert main(["rerun", "run", "study=again"]) == 0
    assert main(["rerun", last["run"]]) == 0
    out = capsys.readouterr().out
    assert "  study is scratch there, again here\n" in out
    assert "nothing differs from that run's config" in out
    assert "already finished" in out
