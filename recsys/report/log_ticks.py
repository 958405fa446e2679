"""Ticks of logarithmic axes: plain numbers, and no more of them than there is room for."""

import math

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

STEPS = {2.0: (1, 2, 5), 3.0: (1, 3), math.inf: (1,)}  # decades of the axis at most -> what is labelled of each


def label_logarithms(axes: Axes) -> None:
    """For each logarithmic axis, once all is drawn."""
    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        if scale == "log":
            _label(axis)


def _label(axis: Axis) -> None:
    low, high = sorted(axis.get_view_interval())
    decades = math.log10(high / low)
    steps = next(steps for most, steps in STEPS.items() if decades <= most)
    axis.set_major_locator(LogLocator(subs=steps, numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:.6g}"))
    axis.set_minor_formatter(NullFormatter())
