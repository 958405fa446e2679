"""The leaderboard of a study for a terminal of 80 columns."""

import math
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from recsys.report.aggregation import STD
from recsys.report.leaderboard import Block
from recsys.report.study import Study
from recsys.report.tables import cost_text, model_text, number_text, title_text


def leaderboard_table(study: Study) -> Table:
    """Per data set a line per model, best first, with the stars of its test and Holm's p beside the deciding metric."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("model", overflow="fold")
    table.add_column("n", justify="right")
    for metric in study.shown[:1]:
        table.add_column(title_text(metric), no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    for metric in study.shown[1:2]:  # the rest is in the files: names need the room
        table.add_column(title_text(metric), no_wrap=True)
    table.add_column("fit s", justify="right")
    for block in study.blocks:
        table.add_row(Text(block.heading, style="bold"))
        for row in block.table.to_dict("records"):
            table.add_row(*_leaderboard_row(study, block, {str(key): value for key, value in row.items()}))
        table.add_section()
    return table


def _leaderboard_row(study: Study, block: Block, row: dict[str, Any]) -> list[Text | str]:
    def cell(metric: str) -> Text:
        value, deviation = row.get(f"test/{metric}", math.nan), row.get(f"test/{metric}{STD}", math.nan)
        return number_text(value, deviation=deviation, bold=value == block.table[f"test/{metric}"].max())

    versus = block.versus.get(row["name"])
    first, *rest = (cell(metric) for metric in study.shown[:2])
    p = "" if versus is None else "<.001" if versus.holm < 0.001 else f"{versus.holm:.3f}".removeprefix("0")
    seeds = str(row["seeds"]) if row["seeds"] else ""
    return [
        model_text(row["name"]),
        seeds,
        first + Text(f" {versus.mark}" if versus else "", style="bold"),
        p,
        *rest,
        cost_text(row["seconds"]),
    ]
