"""How long histories are and how unevenly items are chosen, as a picture."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from recsys.data.sequences import UserSequences
from recsys.report.curves import BLUE, GREY, ORANGE
from recsys.report.log_ticks import label_logarithms


def data_plot(sequences: UserSequences, png: Path) -> None:
    """Left the users by length of their history, right the items' interactions by rank; logarithmic where it helps."""
    lengths = np.asarray(sequences.items.lengths)
    counts = np.sort(np.bincount(sequences.items.flat(), minlength=sequences.num_items))[::-1]
    figure = Figure(figsize=(9.6, 3.8), dpi=150, layout=ConstrainedLayoutEngine(w_pad=0.1))
    left, right = figure.subplots(1, 2)
    _lengths(left, lengths)
    _popularity(right, counts)
    png.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(png)


def _lengths(axes: Axes, lengths: np.ndarray) -> None:
    edges = np.unique(np.geomspace(lengths.min(), lengths.max() + 1, 40).round())
    axes.hist(lengths, bins=edges.tolist() if len(edges) > 1 else 1, color=BLUE)
    axes.set_xscale("log")
    _dress(axes, f"users by length of history, median {np.median(lengths):,.0f}", "items of a user", "users")


def _popularity(axes: Axes, counts: np.ndarray) -> None:
    """counts: interactions of each item, the most popular first."""
    axes.plot(np.arange(1, len(counts) + 1), counts, color=ORANGE, linewidth=1.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    share = counts[: max(1, len(counts) // 10)].sum() / counts.sum()
    title = f"a tenth of the items has {share:.0%} of the interactions"
    _dress(axes, title, "items by popularity", "interactions")


def _dress(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=GREY)
    axes.set_xlabel(x, color=GREY)
    axes.set_ylabel(y, color=GREY)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=GREY, labelsize=9)
    label_logarithms(axes)
