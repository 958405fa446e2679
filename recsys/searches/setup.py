"""A search before its first trial: what it is about, whether it can be composed, what there is of it already."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import optuna
from hydra.utils import get_class
from omegaconf import DictConfig
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from recsys.config.command_line import with_note_quoted
from recsys.config.composing import check_types, run_with_hydra
from recsys.config.mistakes import behind_hydra
from recsys.options.tune import DEFAULTS, TuneOptions
from recsys.runs.directory import differences, register_resolvers
from recsys.searches.space import first_values, load_space, overrides_of
from recsys.searches.trials import PROBLEM, Search, is_done

PROGRESS_BAR = "trainer.enable_progress_bar"  # those of jobs side by side would overwrite each other
UNSAID = ("note", "ledger", "force", PROGRESS_BAR)  # may change when a search continues


def prepare(options: TuneOptions) -> Search:
    """ValueError, in one sentence, where the space or the overrides don't make a config of `recsys train`."""
    space = load_space(options.search)
    for key in space:
        if any(word.startswith(f"{key}=") for word in options.overrides):
            raise ValueError(f"{key} is both set and searched (search={options.search}); leave out one")
    searched = overrides_of(first_values(space))
    config = _composed(options, searched)
    refusal = _refusal([*options.overrides, *searched])
    if refusal and refusal == _refusal(options.overrides):  # not of one combination: no trial would do better
        raise ValueError(refusal)
    module = get_class(config.task.module._target_)
    is_said = any(word.startswith(f"{PROGRESS_BAR}=") for word in options.overrides)
    quiet = (f"{PROGRESS_BAR}=false",) if options.jobs > 1 and not is_said else ()
    return Search(
        folder=Path("outputs", config.study, "tune"),
        space=space,
        overrides=(*options.overrides, *quiet),
        monitor=config.monitor,
        lower_is_better=module.lower_is_better,
        seed=config.seed,
        prune=options.prune,
    )


def _composed(options: TuneOptions, searched: list[str]) -> DictConfig:
    """The config of a first trial, its types checked."""
    found: list[DictConfig] = []

    def task(config: DictConfig) -> None:
        check_types(config)
        if config.monitor.startswith("test/"):
            raise ValueError(f"monitor ({config.monitor}) must not be of the test set: tune on val/...")
        found.append(config)

    try:
        _run(task, [*options.overrides, *searched])
    except ValueError as error:
        raise ValueError(_with_own_keys(str(error), options.overrides)) from error
    return found[0]


def _refusal(overrides: Sequence[str]) -> str | None:
    """What a trial would say against these before it reads any data."""

    def task(config: DictConfig) -> None:
        from recsys.runs import recipe

        recipe.quiet_lightning()
        recipe.rehearse(config)

    try:
        _run(task, overrides)
    except Exception as error:  # whatever it is, a trial would tell it
        return " ".join(str(behind_hydra(error)).split()) or type(error).__name__
    return None


def _run(task: Callable[[DictConfig], None], overrides: Sequence[str]) -> None:
    register_resolvers()
    argv = with_note_quoted([*overrides, "hydra.run.dir=."])
    run_with_hydra(task, config_name="train", argv=argv)


def _with_own_keys(problem: str, overrides: Sequence[str]) -> str:
    """An unknown key may be a misspelt one of tune's own, which the recipes don't know of."""
    for key in (word.partition("=")[0] for word in overrides):
        if problem.startswith(f"{key}: unknown key") and "." not in key:
            near = get_close_matches(key, DEFAULTS, n=1)
            meant = f"did you mean {near[0]}? " if near else ""
            rest = (
                "all others are those of recsys train (recsys train --help)" if near else f"of recsys train: {problem}"
            )
            return f"{key}: unknown key of tune; {meant}its own keys are {', '.join(DEFAULTS)}; {rest}"
    return problem


def resume(search: Search) -> optuna.Study:
    """The search in its folder, trials that were cut short put first.

    ValueError where it is another search, unless nothing came of that one.
    """
    study = search.study()
    facts = _facts(search)
    different = differences(study.user_attrs or facts, facts)
    if different and all(PROBLEM in trial.user_attrs for trial in study.get_trials(deepcopy=False)):
        study = search.anew()  # each trial was refused: this is the same search, corrected
    elif different:
        raise ValueError(
            f"{search.folder} holds another search ({'; '.join(different[:5])}); choose another study=NAME"
        )
    for name, value in facts.items():
        study.set_user_attr(name, value)
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        if trial.params:
            study.enqueue_trial(trial.params)  # its run continues where it was killed
    return study


def num_done(study: optuna.Study) -> int:
    """Trials that count."""
    return sum(map(is_done, study.get_trials(deepcopy=False)))


def _facts(search: Search) -> dict[str, Any]:
    said = [word.partition("=") for word in search.overrides]
    return {
        "searched": {key: distribution_to_json(value) for key, value in search.space.items()},
        "set": {key: value for key, _, value in said if key not in UNSAID},
        "monitor": search.monitor,
    }
