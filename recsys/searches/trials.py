"""One trial of a search: ask Optuna what to try, train it as `recsys train` would, tell what it was worth."""

from dataclasses import dataclass
from pathlib import Path

import optuna
from omegaconf import DictConfig
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from recsys.callbacks import Pruning
from recsys.config.command_line import with_note_quoted
from recsys.config.composing import run_with_hydra
from recsys.config.mistakes import behind_hydra
from recsys.report.runs import Run, load_run
from recsys.runs.directory import register_resolvers
from recsys.searches.space import Space, overrides_of

STARTUP = 5  # trials that are trained to their end before any is pruned
WARMUP = 3  # epochs before which none is
STUDY = "tune"  # Optuna's name of it, in a file of its own
PROBLEM = "problem"  # attribute of a trial that failed; one without was cut short


@dataclass(frozen=True, kw_only=True)
class Search:
    """All that a process needs to work at a search.

    folder: where it is kept, outputs/STUDY/tune. monitor: what decides. seed: of what is tried.
    """

    folder: Path
    space: Space
    overrides: tuple[str, ...]
    monitor: str
    lower_is_better: bool
    seed: int
    prune: bool

    def study(self, *, draw: int = 0) -> optuna.Study:
        """The search so far, from its file. draw: trials of different numbers draw differently."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.folder.mkdir(parents=True, exist_ok=True)
        median = optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=WARMUP)
        return optuna.create_study(
            storage=self._storage(),
            study_name=STUDY,
            sampler=optuna.samplers.TPESampler(seed=1_000_003 * self.seed + draw, constant_liar=True),
            pruner=median if self.prune else optuna.pruners.NopPruner(),
            direction="minimize" if self.lower_is_better else "maximize",
            load_if_exists=True,
        )

    def anew(self) -> optuna.Study:
        """An empty search, whatever was there."""
        optuna.delete_study(study_name=STUDY, storage=self._storage())
        return self.study()

    def _storage(self) -> JournalStorage:
        return JournalStorage(JournalFileBackend(str(self.folder / "journal.log")))


def is_done(trial: FrozenTrial) -> bool:
    """Whether it counts as tried: trained, pruned, or refused; not where it was cut short."""
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or PROBLEM in trial.user_attrs


def run_trial(search: Search, draw: int) -> str:
    """One trial from what to try to what it was worth; returns a line that says so.

    KeyboardInterrupt passes and leaves the trial begun.
    """
    study = search.study(draw=draw)
    trial = study.ask(search.space)
    pruning = Pruning(trial, monitor=search.monitor)
    overrides = overrides_of(trial.params)
    trial.set_user_attr("overrides", overrides)
    said = f"trial {trial.number}: {' '.join(overrides)}"
    try:
        run = _trained(search, overrides, pruning)
        value = run.metrics[search.monitor]
    except Exception as error:  # whatever it is, the other trials go on
        problem = " ".join(str(behind_hydra(error)).split()) or type(error).__name__
        trial.set_user_attr(PROBLEM, problem)
        study.tell(trial, state=TrialState.FAIL)
        return f"{said}: failed: {problem}"
    trial.set_user_attr("run", str(run.path))
    if pruning.pruned:
        study.tell(trial, state=TrialState.PRUNED)
        return f"{said}: pruned after epoch {(run.epochs or 1) - 1}, {search.monitor} {value:.4f} at best"
    study.tell(trial, value)
    best = study.best_trial
    return f"{said}: {search.monitor} {value:.4f} (best {best.value:.4f}, trial {best.number})"


def _trained(search: Search, overrides: list[str], pruning: Pruning) -> Run:
    """The run that came of it, its record written. KeyboardInterrupt where it was the user who ended it."""
    runs: list[Run] = []

    def task(config: DictConfig) -> None:
        from recsys.runs import recipe

        directory = Path(config.output_dir)
        try:
            recipe.train(config, pruning, brief=True)
        except KeyboardInterrupt:
            if not (pruning.pruned and (directory / "run.json").exists()):
                raise
        runs.append(load_run(directory))

    register_resolvers()
    argv = with_note_quoted([*search.overrides, *overrides])
    run_with_hydra(task, config_name="train", argv=argv)
    return runs[0]
