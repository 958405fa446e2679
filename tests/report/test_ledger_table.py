"""The ledger's table: what a narrow terminal leaves out, and that the name can be read."""

from io import StringIO

import pytest
from rich.console import Console

from recsys.options.ledger import SHORT
from recsys.report.ledger_table import fitting, table

LINE = {
    "finished_at": "2026-11-20T22:27:14+00:00",
    "study": "losses",
    "data": "ml-100k",
    "name": "sasrec-ce,model.dim=128,model.dropout=0.3",
    "seed": "0",
    "status": "interrupted",
    "fit_seconds": "53.6",
    "val/ndcg@10": "0.11163",
    "test/ndcg@10": "0.094733",
    "note": "a remark of some length",
}


def printed(columns: list[str], width: int) -> str:
    console = Console(width=width, file=StringIO())
    console.print(table([LINE], columns, width=width))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 100, 120, 200])
def test_a_column_is_whole_or_left_out(width: int) -> None:
    shown, left_out = fitting([LINE], SHORT, width=width)
    assert sorted([*shown, *left_out]) == sorted(SHORT)
    assert shown == [name for name in SHORT if name in shown]
    assert "name" in shown
    out = printed(shown, width)
    assert max(map(len, out.splitlines())) <= width
    words = {"study": "losses", "data": "ml-100k", "status": "interrupted", "finished_at": "2026-11-20 22:27"}
    for name, word in {"name": "model.dropout=0.3", **words}.items():
        assert (word in out) == (name in shown)


def test_what_matters_least_goes_first() -> None:
    columns = {width: set(fitting([LINE], SHORT, width=width)[0]) for width in range(20, 180)}
    assert all(columns[width] <= columns[width + 1] for width in range(20, 179))
    assert columns[179] == set(SHORT)
    assert {"name", "test/ndcg@10", "study", "data", "seed"} <= columns[80]
    assert fitting([LINE], ["seed", "name"], width=20) == (["name"], ["seed"])
    assert fitting([LINE], ["seed", "name"], width=20, foremost=["seed", "name"]) == (["seed"], ["name"])


def test_a_name_has_the_room_that_is_left() -> None:
    assert "sasrec-ce, model.dim=128, model.dropout=0.3" in printed(list(SHORT), 200)


def test_no_lines_are_a_table_of_none() -> None:
    shown, left_out = fitting([], SHORT, width=120)
    assert not left_out
    console = Console(width=120, file=StringIO())
    console.print(table([], shown, width=120))
