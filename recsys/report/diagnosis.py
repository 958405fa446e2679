"""What a model makes of missing values and true negatives: as a record, a table, a picture."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from rich import box
from rich.table import Table
from rich.text import Text

from recsys.metrics.calibration import expected_calibration_error
from recsys.report.curves import BLUE, GREY
from recsys.report.runs import Run

TITLES = {"next": "the unseen item ranked first comes next", "liked": "a missing or disliked item is a missing one"}


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """auc: such as `missing_over_disliked` -> mean over users; users: how many those are.

    moments_per_user: at most so many items of a kind and user were asked. negatives: kind of item to the user -> its
    share of what an epoch draws, `false` being all that the user likes; None where nothing is drawn.
    calibration: what the probability is of -> its table, see `reliability`; empty where the loss has none.
    """

    moments_per_user: int
    auc: Mapping[str, float]
    users: Mapping[str, int]
    negatives: Mapping[str, float] | None
    calibration: Mapping[str, pd.DataFrame]

    @property
    def errors(self) -> dict[str, float]:
        """Expected calibration error by what the probability is of."""
        return {name: expected_calibration_error(table) for name, table in self.calibration.items()}

    def record(self) -> dict[str, Any]:
        """For a JSON file; null where a mean is over nobody."""
        return {
            "moments_per_user": self.moments_per_user,
            "auc": {name: None if math.isnan(value) else value for name, value in self.auc.items()},
            "users": dict(self.users),
            "negatives": None if self.negatives is None else dict(self.negatives),
            "ece": self.errors,
            "reliability": {name: table.to_dict("list") for name, table in self.calibration.items()},
        }


def diagnosis_table(found: Iterable[tuple[Run, Diagnosis]]) -> Table:
    """A line per run: AUCs, what its negatives were, calibration errors; empty where there is none."""
    found = list(found)
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        caption="AUC, means over users; false negatives: share of draws that the user likes",
    )
    table.add_column("model, seed", overflow="fold", min_width=12)
    for name in found[0][1].auc:
        item, over = name.split("_over_")
        table.add_column(f"{item}\n>{over}", justify="right", no_wrap=True)
    for name in ("false\nnegatives", *(f"ECE\n{name}" for name in TITLES)):
        table.add_column(name, justify="right", no_wrap=True)
    for run, diagnosis in found:
        drawn = diagnosis.negatives or {}
        errors = [diagnosis.errors.get(name, math.nan) for name in TITLES]
        numbers = [*diagnosis.auc.values(), drawn.get("false", math.nan), *errors]
        table.add_row(Text(f"{run.name}, {run.seed}"), *("" if math.isnan(n) else f"{n:.3f}" for n in numbers))
    return table


def reliability_plot(tables: Mapping[str, pd.DataFrame], png: Path) -> None:
    """A panel per table: what happened against what was promised, the area of a dot in proportion to its number."""
    figure = Figure(figsize=(4.6 * len(tables), 4.4), dpi=150, layout=ConstrainedLayoutEngine(w_pad=0.1))
    for axes, (name, table) in zip(figure.subplots(1, len(tables), squeeze=False)[0], tables.items(), strict=True):
        reliability_panel(axes, table, title=f"{TITLES[name]}\nECE {expected_calibration_error(table):.3f}")
    figure.savefig(png)


def reliability_panel(axes: Axes, table: pd.DataFrame, *, title: str) -> None:
    """One reliability diagram; on the dashed line a promise is kept."""
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.plot(table["promised"], table["happened"], color=BLUE, linewidth=1.2)
    axes.scatter(table["promised"], table["happened"], s=20 + 200 * table["count"] / table["count"].sum(), color=BLUE)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.set_title(title, loc="left", fontsize=9, color=GREY)
    axes.set_xlabel("probability", color=GREY)
    axes.set_ylabel("share", color=GREY)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=GREY, labelsize=9)
