"""A search before its first trial: what it is about, whether it can be composed, what there is of it already."""

from pathlib import Path
from typing import Any

import optuna
from hydra.utils import get_class
from omegaconf import DictConfig
from optuna.distributions import distribution_to_json
from optuna.trial import TrialState

from recsys.config.composing import check_types, run_with_hydra
from recsys.options.tune import TuneOptions
from recsys.runs.directory import differences, register_resolvers
from recsys.searches.space import Space, first_values, load_space, overrides_of
from recsys.searches.trials import Search, is_done

PROGRESS_BAR = "trainer.enable_progress_bar"  # those of jobs side by side would overwrite each other
UNSAID = ("note", "ledger", "force", PROGRESS_BAR)  # may change when a search continues


def prepare(options: TuneOptions) -> Search:
    """ValueError, in one sentence, where the space or the overrides don't make a config of `recsys train`."""
    space = load_space(options.search)
    for key in space:
        if any(word.startswith(f"{key}=") for word in options.overrides):
            raise ValueError(f"{key} is both set and searched (search={options.search}); leave out one")
    config = _composed(options, space)
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


def _composed(options: TuneOptions, space: Space) -> DictConfig:
    """The config of a first trial, its types checked."""
    found: list[DictConfig] = []

    def task(config: DictConfig) -> None:
        check_types(config)
        if config.monitor.startswith("test/"):
            raise ValueError(f"monitor ({config.monitor}) must not be of the test set: tune on val/...")
        found.append(config)

    register_resolvers()
    overrides = [*options.overrides, *overrides_of(first_values(space))]
    run_with_hydra(task, config_name="train", argv=[*overrides, "hydra.run.dir=."])
    return found[0]


def resume(search: Search) -> optuna.Study:
    """The search in its folder, trials that were cut short put first. ValueError where it is another search."""
    study = search.study()
    facts = _facts(search)
    different = differences(study.user_attrs or facts, facts)
    if different:
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
