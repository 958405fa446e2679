"""Learning curves: what is drawn, and clear errors. The look was judged by eye."""

from pathlib import Path

import pytest
from matplotlib import image
from matplotlib.figure import Figure

from recsys.report.curves import learning_curve

HEADER = "epoch,seconds,train/loss,val/ndcg@10\n"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures saved during the test."""
    figures: list[Figure] = []
    save = Figure.savefig

    def record(self: Figure, *args: object) -> None:
        figures.append(self)
        save(self, *args)

    monkeypatch.setattr(Figure, "savefig", record)
    return figures


def test_loss_metric_and_best_epoch_are_drawn(tmp_path: Path, drawn: list[Figure]) -> None:
    csv, png = tmp_path / "metrics.csv", tmp_path / "curve.png"
    csv.write_text(HEADER + "0,1,5.0,\n1,2,4.0,0.2\n2,3,3.0,\n3,4,2.5,0.1\n")  # validated every other epoch
    learning_curve(csv, png, monitor="val/ndcg@10")
    loss, metric = drawn[0].axes
    assert loss.lines[0].get_xydata().tolist() == [[0, 5], [1, 4], [2, 3], [3, 2.5]]
    assert metric.lines[0].get_xydata().tolist() == [[1, 0.2], [3, 0.1]]
    assert [axes.lines[1].get_xdata() for axes in (loss, metric)] == [[1, 1], [1, 1]]
    assert metric.get_title("right") == "best 0.2000 at epoch 1"
    height, width, _ = image.imread(png).shape
    assert (width, height) == (960, 780)


def test_one_epoch_is_enough(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(HEADER + "0,1,5.0,0.2\n")
    learning_curve(tmp_path / "metrics.csv", tmp_path / "curve.png", monitor="val/ndcg@10")
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_unknown_monitor_names_the_columns(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(HEADER + "0,1,5.0,0.2\n")
    with pytest.raises(ValueError, match=r"lacks the column val/hr@1, it has epoch, .*; set monitor to one"):
        learning_curve(tmp_path / "metrics.csv", tmp_path / "curve.png", monitor="val/hr@1")


def test_no_validated_epoch_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(HEADER + "0,1,5.0,\n")
    with pytest.raises(ValueError, match="no value in the column val/ndcg@10; validate at least one epoch"):
        learning_curve(tmp_path / "metrics.csv", tmp_path / "curve.png", monitor="val/ndcg@10")
