"""Where gradients vanish: layers by epochs, and layers by time steps."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

SMALLEST = 1e-8  # of the largest norm: below it is rounding, and all is drawn in the darkest colour


def draw_gradients(gradient_flow_csv: Path, png: Path) -> None:
    """Draws gradient norms on a logarithmic colour scale, one line per layer, the input at the top.

    gradient_flow_csv: columns epoch, layer, position (empty for parameters), norm. Left: the layers' parameters over
    the epochs; right: the layers' outputs over the time steps of the last recorded epoch. White: no gradient at all.
    Nothing is drawn where nothing has been recorded.
    """
    rows = pd.read_csv(gradient_flow_csv)
    if rows.empty:
        return
    epoch = rows["epoch"].max()
    parameters = _grid(rows.query("position.isna()"), "epoch")
    states = _grid(rows.query("position.notna() and epoch == @epoch"), "position")
    height = 1.6 + 0.16 * max(len(parameters), len(states))
    figure = Figure(figsize=(13, height), dpi=130, layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(figure, left, parameters, title="gradient norm of parameters", axis="epoch")
    _draw(figure, right, states, title=f"gradient norm of outputs, epoch {epoch}", axis="time step")
    figure.savefig(png)


def _grid(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Layers, in their order, by the values of `column`."""
    grid = rows.pivot(index="layer", columns=column, values="norm")
    return grid.loc[rows["layer"].unique()]


def _draw(figure: Figure, axes: Axes, grid: pd.DataFrame, *, title: str, axis: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    if grid.empty:
        axes.set_axis_off()
        return
    positive = grid.where(grid > 0)  # zero has no logarithm
    top = positive.max(axis=None)
    scale = LogNorm(vmin=max(top * SMALLEST, positive.min(axis=None)), vmax=top)
    image = axes.imshow(positive, norm=scale, aspect="auto", interpolation="nearest", cmap="viridis")
    axes.set_yticks(range(len(grid)), list(grid.index), fontsize=6)
    ticks = range(0, grid.shape[1], max(1, grid.shape[1] // 8))
    axes.set_xticks(ticks, [f"{grid.columns[tick]:.0f}" for tick in ticks], fontsize=8)
    axes.set_xlabel(axis, fontsize=9)
    figure.colorbar(image, ax=axes)
