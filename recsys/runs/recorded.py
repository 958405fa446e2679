"""What a run's record describes, made again: under guard, for a record may come from anywhere."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from inspect import isfunction
from types import ModuleType
from typing import Any, NamedTuple

from hydra.utils import instantiate

from recsys.config.mistakes import behind_hydra, is_user_error
from recsys.data.dataset import InteractionDataset
from recsys.data.sequences import UserSequences
from recsys.data.splits import Split, Splitter
from recsys.report.runs import Run

DATA = ("recsys.data.",)
# What any of the recipes names. Of the functions, those that are learning-rate curves alone.
RUN = ("recsys.", "torch.optim.", "pytorch_lightning.")
FUNCTIONS = ("recsys.tasks.learning_rates.",)
GET_OBJECT = "hydra.utils.get_object"  # how a recipe names a member of an enumeration


class RecordedData(NamedTuple):
    """The data and the split that a run was trained on."""

    dataset: InteractionDataset
    sequences: UserSequences
    splitter: Splitter
    split: Split


def remake_data(run: Run, config: Mapping[str, Any]) -> RecordedData:
    """What the config's `data` and `split` describe; only classes of recsys.data are made.

    config: the run's, resolved. ValueError where it names anything else, or nothing, and where what is made is not what
    the run was trained on; FileNotFoundError where the data can't be had.
    """
    for key in ("data", "split"):
        if not isinstance(config.get(key), Mapping) or "_target_" not in config[key]:
            raise ValueError(f"{run.path / 'run.json'} has no config.{key}; run it again, force=true, to have it")
        check_targets(config[key], DATA)
    with made_again(f"data and split of {run.path}"):
        dataset, splitter = instantiate(config["data"]), instantiate(config["split"])
        sequences = dataset.sequences()
        check_same("data", run, sequences.fingerprint)
        split = splitter(sequences)
        check_same("split", run, split.fingerprint())
    return RecordedData(dataset, sequences, splitter, split)


@contextmanager
def made_again(what: str) -> Iterator[None]:
    """Says in one sentence what of a record can't be made; this package's own refusals pass."""
    try:
        yield
    except Exception as error:  # a damaged record fails in as many ways as there are keys
        cause = behind_hydra(error)
        if is_user_error(cause):
            raise
        reason = f"{type(cause).__name__}: {' '.join(str(cause).split())[:160]}"
        raise ValueError(
            f"{what} can't be made again ({reason}): the record is damaged, or of another version of recsys; run it "
            "again with force=true"
        ) from error


def check_targets(node: Any, allowed: Sequence[str]) -> None:
    """Raises ValueError where the config, at any depth, names another thing to make than a class of `allowed`."""
    for target, path in _targets(node):
        if target == GET_OBJECT:
            target = path.rpartition(".")[0]  # the enumeration itself
        if not _is_allowed(target, allowed):
            kinds = ", ".join(prefix.rstrip(".") for prefix in allowed)
            raise ValueError(f"{target} is not a class of {kinds}: nothing else that a record names is made")


def check_same(key: str, run: Run, now: str) -> None:
    """Raises ValueError where the data, or its split, is not what the run was made on."""
    there = run.fingerprints.get(key, "none")
    if there != now:
        raise ValueError(
            f"{run.path}: the {key} has another fingerprint than when the run was trained ({there[:8]}... there, "
            f"{now[:8]}... here); give that data with data.path=FILE"
        )


def _targets(node: Any) -> Iterator[tuple[str, str]]:
    """Every `_target_` at any depth, and the `path` beside it."""
    inner = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    if isinstance(node, Mapping) and "_target_" in node:
        yield str(node["_target_"]), str(node.get("path", ""))
    for value in inner:
        yield from _targets(value)


def _is_allowed(target: str, allowed: Sequence[str]) -> bool:
    """Whether it names a class that a module of those packages defines; not what such a module has imported."""
    if not f"{target}.".startswith(tuple(allowed)):
        return False
    name = target.rpartition(".")[2]
    module = _module(target.rpartition(".")[0])
    found = getattr(module, name, None)
    if isfunction(found):
        return target.startswith(FUNCTIONS) and f"{found.__module__}.".startswith(FUNCTIONS)
    return isinstance(found, type) and f"{found.__module__}.".startswith(tuple(allowed))


def _module(name: str) -> ModuleType | None:
    try:
        import_module(name)
    except ImportError:
        return None
    return sys.modules[name]
