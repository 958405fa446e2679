"""Learning curves."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

LOSS = "train/loss"
BLUE, ORANGE, GREY = "#3366aa", "#cc6633", "#666666"


def learning_curve(metrics_csv: Path, png: Path, *, monitor: str) -> None:
    """Draws training loss above the monitored validation metric, per epoch, with the best epoch marked.

    metrics_csv: one line per epoch with the columns `epoch`, `monitor` (higher is better; empty where an epoch was not
    validated) and `train/loss`, which a model that is solved for has not: its panel stays empty. ValueError where
    another column is missing or no epoch was validated.
    """
    history = _read(metrics_csv, ("epoch", monitor))
    validated = history.dropna(subset=[monitor])
    if validated.empty:
        raise ValueError(f"{metrics_csv} has no value in the column {monitor}; validate at least one epoch.")
    best = validated.loc[validated[monitor].idxmax()]
    figure = Figure(figsize=(6.4, 5.2), dpi=150, layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.1))
    above, below = figure.subplots(2, 1, sharex=True)
    _draw(above, history.reindex(columns=["epoch", LOSS]).dropna(), LOSS, BLUE)
    _draw(below, validated, monitor, ORANGE)
    _mark(above, below, epoch=best["epoch"], value=best[monitor])
    figure.savefig(png)


def loss_curves(metrics_csv: Path, png: Path, *, columns: Sequence[str], best_epoch: int) -> None:
    """Draws each of the columns that the file has, per epoch, one panel below the other; the best epoch marked."""
    history = _read(metrics_csv, ("epoch",))
    present = [column for column in columns if column in history]
    height = 1 + 1.6 * len(present)
    figure = Figure(figsize=(6.4, height), dpi=150, layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.1))
    for axes, column in zip(figure.subplots(len(present), 1, sharex=True, squeeze=False)[:, 0], present, strict=True):
        _draw(axes, history.reindex(columns=["epoch", column]).dropna(), column, BLUE)
        axes.axvline(best_epoch, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    figure.axes[-1].set_xlabel("epoch", color=GREY)
    figure.savefig(png)


def _read(metrics_csv: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    history = pd.read_csv(metrics_csv)
    missing = [column for column in columns if column not in history]
    if missing:
        raise ValueError(
            f"{metrics_csv} lacks the column {missing[0]}, it has {', '.join(history.columns)}; "
            "set monitor to one of these."
        )
    return history


def _draw(axes: Axes, history: pd.DataFrame, column: str, color: str) -> None:
    """A line with a dot per epoch; no dots where there are many."""
    size = 4 if len(history) <= 60 else 0
    axes.plot(history["epoch"], history[column], color=color, linewidth=1.8, marker="o", markersize=size)
    axes.set_title(column, loc="left", color=color, fontweight="bold", fontsize=11)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=GREY, labelsize=9)


def _mark(above: Axes, below: Axes, *, epoch: float, value: float) -> None:
    """A line at the best epoch through both panels, a ring around its value, both named in the corner."""
    for axes in (above, below):
        axes.axvline(epoch, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    below.plot([epoch], [value], marker="o", markersize=9, color="none", markeredgecolor=GREY)
    below.set_title(f"best {value:.4f} at epoch {epoch:.0f}", loc="right", color=GREY, fontsize=10)
    below.set_xlabel("epoch", color=GREY)
