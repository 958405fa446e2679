"""A search for hyper-parameters: its best trials, all of them as CSV, and its plots."""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import optuna
from matplotlib import pyplot as plt
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState
from optuna.visualization import matplotlib as plots
from rich import box
from rich.table import Table
from rich.text import Text

from recsys.report.log_ticks import label_logarithms

SHOWN = 10  # trials in the table


def best_overrides(study: optuna.Study) -> list[str]:
    """What the best trial added to the command line. ValueError, with a trial's own reason, where none has ended."""
    ended = _ended(study)
    if not ended:
        problems = [trial.user_attrs["problem"] for trial in study.trials if "problem" in trial.user_attrs]
        reason = f"; the first says: {problems[0]}" if problems else ""
        raise ValueError(f"none of {len(study.trials)} trials came to an end{reason}")
    return ended[0].user_attrs["overrides"]


def best_table(study: optuna.Study, *, metric: str) -> Table:
    """The best trials, the best first; the title counts the others."""
    counts = {state: sum(trial.state is state for trial in study.trials) for state in TrialState}
    title = f"{counts[TrialState.COMPLETE]} trials, {counts[TrialState.PRUNED]} pruned, {_num_failed(study)} failed"
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, title=title, min_width=len(title))
    ended = _ended(study)[:SHOWN]
    keys = list(dict.fromkeys(key for trial in ended for key in trial.params))
    for name in ("trial", metric):
        table.add_column(name, justify="right")
    for key in keys:
        table.add_column(key.rpartition(".")[2] or key, justify="right", overflow="fold")
    for trial in ended:
        values = [trial.params.get(key, "") for key in keys]
        shown = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values]
        table.add_row(str(trial.number), f"{trial.value:.4f}", *map(Text, shown))
    return table


def write_results(study: optuna.Study, folder: Path, *, metric: str) -> list[Path]:
    """trials.csv and, where there are trials enough, PNG files; returns what was written."""
    table = study.trials_dataframe(attrs=("number", "state", "value", "duration", "params", "user_attrs"))
    table.to_csv(folder / "trials.csv", index=False)
    ended = _ended(study)
    several = len({str(trial.params) for trial in ended}) > 1
    drawn = [_draw(draw, study, folder / f"{name}.png", metric=metric) for name, draw in _PLOTS.items() if several]
    return [folder / "trials.csv", *drawn]


def _ended(study: optuna.Study) -> list[FrozenTrial]:
    """Trials trained to their end, the best first, the earlier one first where two are equal."""
    found = study.get_trials(states=(TrialState.COMPLETE,))
    sign = -1 if study.direction is optuna.study.StudyDirection.MAXIMIZE else 1
    return sorted(found, key=lambda trial: sign * (trial.value or 0.0))


def _num_failed(study: optuna.Study) -> int:
    return sum("problem" in trial.user_attrs for trial in study.trials)


def _history(study: optuna.Study, metric: str) -> None:
    plots.plot_optimization_history(study, target_name=metric)


def _slices(study: optuna.Study, metric: str) -> None:
    panels = plots.plot_slice(study, target_name=metric)
    for axes in np.atleast_1d(np.asarray(panels)):
        label_logarithms(axes)
        axes.tick_params(axis="x", rotation=35)  # the panels are narrow


def _epochs(study: optuna.Study, metric: str) -> None:
    axes = plots.plot_intermediate_values(study)
    axes.set_xlabel("epoch")
    axes.set_ylabel(metric)


def _importances(study: optuna.Study, metric: str) -> None:
    plots.plot_param_importances(study, evaluator=PedAnovaImportanceEvaluator(), target_name=metric)


_PLOTS: dict[str, Callable[[optuna.Study, str], None]] = {
    "history": _history,
    "slices": _slices,
    "epochs": _epochs,
    "importances": _importances,
}


def _draw(draw: Callable[[optuna.Study, str], None], study: optuna.Study, png: Path, *, metric: str) -> Path:
    """A plot of Optuna's, in its own style for that file alone."""
    matplotlib.use("Agg")
    logging.getLogger("matplotlib.category").setLevel(logging.WARNING)  # that choices look like numbers
    with warnings.catch_warnings(), plt.rc_context():
        warnings.simplefilter("ignore")  # that matplotlib is an experiment of Optuna's
        draw(study, metric)
        figure = plt.gcf()
        figure.savefig(png, dpi=120, bbox_inches="tight")
        plt.close(figure)
    return png
