"""The search that `recsys tune` asks for: trials one by one or side by side, then what came of them."""

import shlex
from collections.abc import Iterator

import optuna
from filelock import FileLock, Timeout

from recsys.consoles import plain_console
from recsys.options.tune import TuneOptions
from recsys.report.search_results import best_overrides, best_table, write_results
from recsys.runs import training
from recsys.searches.setup import num_done, prepare, resume
from recsys.searches.trials import PROBLEM, Search, run_trial
from recsys.searches.workers import side_by_side

console = plain_console()


def tune(options: TuneOptions) -> None:
    """ValueError where another process is at the same search, or where no trial came to an end."""
    search = prepare(options)
    study = search.study()
    try:
        with FileLock(search.folder / "lock", timeout=0):
            study = resume(search)
            try:
                run_trials(search, study, options)
            finally:
                report(search, study)
    except Timeout as error:
        raise ValueError(
            f"another recsys tune is at work in {search.folder}; wait for it, or choose another study=NAME"
        ) from error
    train_best(search, study, num_seeds=options.seeds)


def run_trials(search: Search, study: optuna.Study, options: TuneOptions) -> None:
    """Those that are missing of the number asked for."""
    done = num_done(study)
    draws = range(len(study.trials), len(study.trials) + max(options.trials - done, 0))
    if done:
        console.print(f"{done} of {options.trials} trials are there already: {search.folder}", soft_wrap=True)
    lines = side_by_side(search, draws, jobs=options.jobs) if options.jobs > 1 else _in_turn(search, draws)
    for number, line in enumerate(lines, start=done + 1):
        console.print(f"[{number}/{options.trials}] {line}", soft_wrap=True, highlight=False)


def _in_turn(search: Search, draws: range) -> Iterator[str]:
    for draw in draws:
        yield run_trial(search, draw)


def report(search: Search, study: optuna.Study) -> None:
    """The best trials on the console; all of them, and the plots, in the search's folder."""
    console.print(best_table(study, metric=search.monitor))
    for problem in dict.fromkeys(trial.user_attrs.get(PROBLEM) for trial in study.trials):
        if problem:
            console.print(f"failed: {problem}", style="yellow", soft_wrap=True)
    for path in write_results(study, search.folder, metric=search.monitor):
        console.print(f"search: {path}", soft_wrap=True, highlight=False)


def train_best(search: Search, study: optuna.Study, *, num_seeds: int) -> None:
    """Other seeds than the search's: that one was chosen for its luck too."""
    best = best_overrides(study)
    kept = [word for word in search.overrides if word.partition("=")[0] not in ("seed", "study")]
    name = search.folder.parent.name
    console.print(f"best: recsys train {shlex.join([*kept, *best])}", soft_wrap=True, highlight=False)
    if num_seeds:
        seeds = ",".join(str(search.seed + step) for step in range(1, num_seeds + 1))
        training.main(["-m", *kept, *best, f"seed={seeds}", f"study={name}-best"])
