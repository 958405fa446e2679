"""Results as tables for a terminal of 80 columns."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from recsys.report.aggregation import STD, aggregate, comparable, notes
from recsys.report.runs import Run, RunStatus

STUDY_METRICS = ("ndcg@10", "hr@10", "mrr@10")
LOSS = "train/"  # what names of losses begin with


class _Line(NamedTuple):
    """Results of one model: (metric, cutoff) -> value. competes: may be the best of its column."""

    model: str
    values: dict[tuple[str, str], float]
    competes: bool = True


def run_table(run: Run) -> Table:
    """One run: per metric a line for each model, baselines first; per cutoff a column, the best in bold.

    Metrics that agree everywhere share lines: with one relevant item per user, HR is Recall and MRR is MAP.
    The model's validation result stands dim below its test result and does not compete.
    Only metrics with a cutoff (`test/ndcg@10`) are shown, and of a run that ranks nothing its losses. The name's
    overrides stand in the title.
    """
    if run.ranks_nothing:
        return _loss_table(run)
    model, _, overrides = run.name.partition(",")
    lines = [_Line(name, _cells(metrics, "test/")) for name, metrics in run.baselines.items()]
    lines.append(_Line(model, _cells(run.metrics, "test/")))
    if validation := _cells(run.metrics, "val/"):
        lines.append(_Line("(validation)", validation, competes=False))
    cutoffs = sorted({k for line in lines for _, k in line.values}, key=lambda k: (len(k), k))
    table = Table(box=box.SIMPLE_HEAD, title=_runtitle_text(run, "test set", overrides), caption=_facts(run))
    table.add_column("metric")
    table.add_column("model", overflow="fold")
    for cutoff in cutoffs:
        table.add_column(f"@{cutoff}", justify="right", no_wrap=True)
    for twins in _twins(lines):
        _add_metric(table, twins, lines, cutoffs)
    return table


def _loss_table(run: Run) -> Table:
    """The losses of the best epoch of a run that ranks nothing."""
    model, _, overrides = run.name.partition(",")
    table = Table(
        box=box.SIMPLE_HEAD, min_width=60, title=_runtitle_text(run, "training", overrides), caption=_facts(run)
    )
    table.add_column("loss")
    table.add_column(model_text(model), justify="right")
    for name, value in run.metrics.items():
        table.add_row(name, number_text(value))
    return table


def _runtitle_text(run: Run, what: str, overrides: str) -> Text:
    return Text(f"{run.data}, {what}, seed {run.seed}" + (f"\n{overrides.replace(',', ' ')}" if overrides else ""))


def run_line(run: Run, *, metrics: Sequence[str] = STUDY_METRICS) -> Text:
    """One run in one line, for a grid in progress; all of its losses where it ranks nothing."""
    label, columns = _tested(run.metrics, metrics)
    shown = {title_text(name): run.metrics.get(column, math.nan) for name, column in zip(metrics, columns, strict=True)}
    values = ", ".join(f"{name} {value:.4f}" for name, value in shown.items()) + (f", {label}" if label else "")
    if run.ranks_nothing:
        values = ", ".join(f"{name} {value:.4f}" for name, value in run.metrics.items())
    return Text(f"{run.data} {run.name} seed {run.seed}: {values} ({run.seconds.get('total', math.nan):.0f} s)")


def study_table(runs: Iterable[Run], *, metrics: Sequence[str] = STUDY_METRICS) -> Group:
    """All runs: per data set a line per model, mean ± sample deviation over seeds of a few test metrics.

    The best mean among comparable lines is bold. Runs that rank nothing stand before them in a table of their own, of
    their losses. The caption of the last table says which runs are left out or kept apart.
    """
    runs = list(runs)
    ranked = _empty("test set, mean ± deviation over n seeds\n", [title_text(metric) for metric in metrics])
    for block, _, heading in comparable(runs):
        label, columns = _tested((str(name) for name in block.dropna(axis=1, how="all")), metrics)
        ranked.add_row(Text(heading if label in heading else f"{heading}, {label}", style="bold"))
        _add_block(ranked, block, columns)
        ranked.add_section()
    losses = _losses_table(runs)
    tables = [table for table in (losses, ranked) if table.row_count] or [ranked]
    # Text, here and below: a path or a name may hold brackets, which rich would take for markup
    tables[-1].caption = Text("\n".join(["", *notes(runs)]), justify="left")
    return Group(*tables)


def _tested(names: Iterable[str], metrics: Sequence[str]) -> tuple[str, list[str]]:
    """The label of the protocol by which runs were tested, empty of full ranking, and the names of their test metrics.

    names: of all their metrics. A run is tested by one protocol, so that one label is there.
    """
    labels = [name.removeprefix("test/").rpartition("/")[0] for name in names if name.startswith("test/")]
    label = min(labels, default="")
    return label, ["/".join(part for part in ("test", label, metric) if part) for metric in metrics]


def _losses_table(runs: Sequence[Run]) -> Table:
    """Those that rank nothing: a line per name, none of them the best, for weights of losses may differ."""
    rows = aggregate((run for run in runs if run.ranks_nothing), part=LOSS)
    names = [str(name) for name in rows if str(name).startswith(LOSS) and not str(name).endswith(STD)]
    headings = [name.removeprefix(LOSS) for name in names]
    table = _empty("pre-trainings: losses of the best epoch, mean over n seeds\n", headings)
    for data, block in rows.groupby("data", sort=False):
        table.add_row(Text(str(data), style="bold"))
        for row in block.to_dict("records"):
            cells = [number_text(row[name]) for name in names]
            table.add_row(model_text(row["name"]), str(row["seeds"]), *cells, *_costs(row))
        table.add_section()
    return table


def _empty(title: str, metrics: Sequence[str]) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("model", overflow="fold")
    table.add_column("n", justify="right")
    for metric in metrics:
        table.add_column(metric, no_wrap=True)
    table.add_column("ep.", justify="right")
    table.add_column("fit s", justify="right")
    table.add_column("GiB", justify="right")
    return table


def _add_metric(table: Table, twins: Sequence[str], lines: Sequence[_Line], cutoffs: Sequence[str]) -> None:
    label = _label(twins)
    for line in lines:
        cells = []
        for key in ((twins[0], cutoff) for cutoff in cutoffs):
            best = max(other.values.get(key, -math.inf) for other in lines if other.competes)
            value = line.values.get(key, math.nan)
            cells.append(number_text(value, bold=line.competes and value == best))
        table.add_row(label, model_text(line.model), *cells, style=None if line.competes else "dim")
        label = ""
    table.add_section()


def _add_block(table: Table, block: pd.DataFrame, columns: Sequence[str]) -> None:
    block = block.reindex(columns=[*block.columns, *(name for name in columns if name not in block)])
    for row in block.to_dict("records"):
        cells = [
            number_text(row[name], deviation=row.get(name + STD, math.nan), bold=row[name] == block[name].max())
            for name in columns
        ]
        seeds = str(row["seeds"]) if row["seeds"] else ""
        table.add_row(model_text(row["name"]), seeds, *cells, *_costs(row))


def _costs(row: Mapping[Hashable, Any]) -> tuple[str, str, str]:
    return cost_text(row["epochs"]), cost_text(row["seconds"]), cost_text(row["memory"], digits=1)


def _cells(metrics: Mapping[str, float], prefix: str) -> dict[tuple[str, str], float]:
    """(metric, cutoff) -> value of the names `prefix metric @ cutoff`."""
    parts = {name.removeprefix(prefix).partition("@"): name for name in metrics if name.startswith(prefix)}
    return {(family, cutoff): metrics[name] for (family, at, cutoff), name in parts.items() if at}


def _label(twins: Sequence[str]) -> str:
    """HR = Recall, uniform_100: a protocol once after all of its metrics."""
    names: dict[str, list[str]] = {}
    for protocol, _, name in (family.rpartition("/") for family in twins):
        names.setdefault(protocol, []).append(title_text(name))
    labels = (" = ".join(own) + (f", {protocol}" if protocol else "") for protocol, own in names.items())
    return " = ".join(labels)


def _twins(lines: Sequence[_Line]) -> list[list[str]]:
    """Metrics in order, those with the same values at every cutoff in every line together."""
    groups: dict[tuple[frozenset, ...], list[str]] = {}
    for family in dict.fromkeys(name for line in lines for name, _ in line.values):
        values = tuple(
            frozenset((k, value) for (name, k), value in line.values.items() if name == family) for line in lines
        )
        groups.setdefault(values, []).append(family)
    return list(groups.values())


def _facts(run: Run) -> str:
    """What the run took, in one line."""
    parts = [f"{run.num_parameters:,} parameters"]
    if run.epochs is not None:
        parts.append(f"best epoch {run.best_epoch} of 0 to {run.epochs - 1}")
    if (seconds := run.seconds.get("fit")) is not None:
        parts.append(f"fit {seconds:.0f} s")
    if run.peak_memory_gb is not None:
        parts.append(f"{run.peak_memory_gb:.1f} GiB")
    if run.status is RunStatus.INTERRUPTED:
        parts.append("interrupted: best epoch so far")
    return "; ".join(parts)


def model_text(name: str) -> Text:
    """The name with room to break a line after each override."""
    return Text(name.replace(",", ", "))


def title_text(metric: str) -> str:
    """ndcg@10 -> NDCG@10, recall@10 -> Recall@10, uniform_100/hr@10 -> HR@10, uniform_100."""
    protocol, _, name = metric.rpartition("/")
    title = name.upper() if len(name.partition("@")[0]) <= 4 else name.capitalize()
    return f"{title}, {protocol}" if protocol else title


def number_text(value: float, *, deviation: float = math.nan, bold: bool = False) -> Text:
    text = "-" if math.isnan(value) else f"{value:.4f}"
    if not math.isnan(deviation):
        text += f" ±{deviation:.4f}".replace("±0", "±")  # three of them fit beside a model's name
    return Text(text, style="bold" if bold else "")


def cost_text(value: float, *, digits: int = 0) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"
