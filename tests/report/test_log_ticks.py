"""Labels of logarithmic axes: plain numbers that don't overlap."""

from itertools import pairwise

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from recsys.report.log_ticks import label_logarithms


@pytest.mark.parametrize(
    ("low", "high", "some"), [(20, 737, ["20", "100", "500"]), (4, 12, ["5", "10"]), (1, 40_000, ["1", "1,000"])]
)
def test_labels_are_plain_and_apart(low: float, high: float, some: list[str]) -> None:
    figure = Figure(figsize=(4.8, 3.8), dpi=150)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([low, high], [0, 1])
    axes.set_xscale("log")
    label_logarithms(axes)
    canvas.draw()
    ticks = [tick for tick in axes.xaxis.get_ticklabels(which="both") if tick.get_text()]
    left, right = axes.get_xlim()
    inside = sorted(
        (tick for tick in ticks if left <= tick.get_position()[0] <= right), key=lambda t: t.get_position()[0]
    )
    assert set(some) <= {tick.get_text() for tick in inside}
    boxes = [tick.get_window_extent() for tick in inside]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
