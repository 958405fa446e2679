"""The table of a study as Markdown, LaTeX and CSV."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from recsys.report.aggregation import STD
from recsys.report.leaderboard import Block
from recsys.report.study import Study

_LATEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


def explanation(study: Study) -> str:
    """What the numbers and the stars mean, in plain words."""
    reference = study.baseline or "the best other model (the winner from the runner-up)"
    return (
        f"Mean ± sample deviation over n seeds on the test set; the best mean is bold. Stars: {study.metric} differs "
        f"from that of {reference} with p < .05 (*), .01 (**), .001 (***), by a sign-flip randomisation test over "
        "users, whose values are averaged over seeds first; Holm's correction over the table. A test over users says "
        "whether the difference would hold for other users, not for other seeds: see the deviation for that."
    )


def to_markdown(study: Study) -> str:
    """A table per data set and setting, the explanation and the notes."""
    parts = [f"# {study.root.name}\n"]
    for block in study.blocks:
        header = ["model", "n", *study.shown, "epochs", "fit s", "GiB"]
        rows = [[_code(row["name"]), *_cells(block, row, study.shown, bold="**{}**")] for row in _rows(block)]
        lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
        parts.append(f"## {block.heading}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
        parts += [f"- {orders.sentence()}\n".replace("*", r"\*") for orders in block.orders]
    parts.append(explanation(study).replace("*", r"\*") + "\n")
    parts.append("\n".join(f"- {note}" for note in study.notes))
    return "\n".join(parts).rstrip() + "\n"


def to_latex(study: Study) -> str:
    r"""A floating table for `\usepackage{booktabs}`, its blocks parted by a rule."""
    columns = ["model", "$n$", *map(escape, study.shown)]
    lines = [r"% \usepackage{booktabs}", r"\begin{table}", r"\centering", rf"\caption{{{escape(explanation(study))}}}"]
    lines += [rf"\begin{{tabular}}{{lr{'l' * len(study.shown)}}}", r"\toprule", " & ".join(columns) + r" \\"]
    for block in study.blocks:
        lines += [r"\midrule", rf"\multicolumn{{{len(columns)}}}{{l}}{{\emph{{{escape(block.heading)}}}}} \\"]
        for row in _rows(block):
            cells = _cells(block, row, study.shown, bold=r"\textbf{{{}}}")[: len(columns) - 1]
            lines.append(" & ".join([escape(row["name"]), *(_math(cell) for cell in cells)]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def to_frame(study: Study) -> pd.DataFrame:
    """One row per model and setting: all test metrics with deviations, what it took, and the test's every number."""
    frames = []
    for block in study.blocks:
        tests = pd.DataFrame([_test(block, name) for name in block.names], index=block.table.index)
        frames.append(pd.concat([block.table, tests], axis=1))
    return pd.concat(frames, ignore_index=True)


def escape(text: str) -> str:
    """Text for LaTeX."""
    return "".join(_LATEX.get(character, character) for character in text).replace("±", r"$\pm$")


def best_of(block: Block, metric: str) -> float:
    """The highest mean of the column."""
    column = f"test/{metric}"
    return float(block.table[column].to_numpy().max()) if column in block.table else math.nan


def _rows(block: Block) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in block.table.to_dict("records")]


def _test(block: Block, name: str) -> dict[str, Any]:
    if name not in block.versus:
        return {}
    versus = block.versus[name]
    facts = {"versus": versus.other, "p_holm": versus.holm, "mark": versus.mark}
    facts |= {f"users_{key}": value for key, value in versus.users._asdict().items()}
    return facts | {f"seeds_{key}": value for key, value in (versus.seeds._asdict() if versus.seeds else {}).items()}


def _cells(block: Block, row: dict[str, Any], metrics: Sequence[str], *, bold: str) -> list[str]:
    """n, a cell per metric, epochs, seconds, GiB."""
    cells = [str(row["seeds"]) if row["seeds"] else ""]
    for metric in metrics:
        value, deviation = row.get(f"test/{metric}", math.nan), row.get(f"test/{metric}{STD}", math.nan)
        text = _text(value, "{:.4f}".format)
        text = bold.format(text) if value == best_of(block, metric) else text
        text += "" if math.isnan(deviation) else f" ±{deviation:.4f}"
        mark = block.versus[row["name"]].mark if metric == block.metric and row["name"] in block.versus else ""
        cells.append(text + mark.replace("*", r"\*"))
    costs = (row["epochs"], row["seconds"], row["memory"])
    return [
        *cells,
        *(_text(cost, spec.format) for cost, spec in zip(costs, ("{:.0f}", "{:.0f}", "{:.1f}"), strict=True)),
    ]


def _text(value: float, write: Callable[[float], str]) -> str:
    return "" if math.isnan(value) else write(value)


def _math(cell: str) -> str:
    r"""`.1 ±.01\*\*` -> `.1 $\pm$ .01$^{**}$`."""
    stars = cell.count(r"\*")
    text = cell.replace(r"\*", "").replace("±", r"$\pm$ ")
    return text + (f"$^{{{'*' * stars}}}$" if stars else "")


def _code(name: str) -> str:
    """A name that Markdown shows as it is, a pipe included."""
    return f"`{name}`".replace("|", r"\|")
