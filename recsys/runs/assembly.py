"""Builds the parts of a run from its config; the only place where config nodes meet facts of the data."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import Logger
from torch import nn

from recsys.config.mistakes import behind_hydra, is_user_error
from recsys.data.attributes import ItemAttributes
from recsys.data.catalogue import Catalogue
from recsys.data.datamodule import SequenceDataModule
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split, Splitter
from recsys.evaluation import RankingProtocol
from recsys.initialisation import freeze
from recsys.metrics.ranked import ListMetric
from recsys.metrics.ranking import RankingMetrics
from recsys.runs.loggers import make_logger
from recsys.tasks.training import TrainingTask

TRAINING_GROUPS = ("sampler", "loss", "optimizer", "scheduler")  # a task selects null for what it has no use for


class Parts(NamedTuple):
    """What a Trainer needs, and the evaluator's parts."""

    task: TrainingTask
    datamodule: SequenceDataModule
    protocol: RankingProtocol
    metrics: RankingMetrics
    lists: tuple[ListMetric, ...] = ()


def assemble(config: DictConfig, split: Split, catalogue: Catalogue) -> Parts:
    """Model, candidates, loss, task and batches for a split over a catalogue."""
    protocol, metrics = instantiate(config.eval.protocol), instantiate(config.eval.metrics)
    make_task = instantiate(config.task.module)
    with refusals("model"):  # plain lists and dicts, which a library can compute with
        make_model = instantiate(config.model, _convert_="all")
        model = make_model(catalogue, **wanted(make_model, {"batch_size": config.get("batch_size")}))
    # and an optimiser keeps its options in checkpoints, which hold no types of Hydra's
    training = {name: instantiate(config[name], _convert_="all") for name in TRAINING_GROUPS if name in config}
    check_task(make_task, model, training)
    if "sampler" in training:
        training["sampler"] = training["sampler"](catalogue)
    facts = {"protocol": protocol, "metrics": metrics, "catalogue": catalogue, "num_items": catalogue.num_items}
    task = make_task(model=model, **wanted(make_task, facts), **training)
    make_collator = instantiate(config.task.collator)
    collator = make_collator(**wanted(make_collator, facts))
    datamodule = instantiate(config.task.datamodule)(split, num_items=catalogue.num_items, collator=collator)
    return Parts(task, datamodule, protocol, metrics, make_lists(config.eval, catalogue))


def make_lists(node: DictConfig, catalogue: Catalogue) -> tuple[ListMetric, ...]:
    """The metrics of lists that an option of the group eval names; most name none."""
    return tuple(make(catalogue) for make in _list_makers(node))


def _list_makers(node: DictConfig) -> list[partial[ListMetric]]:
    return list(instantiate(node.get("lists") or {}).values())


def rehearse(config: DictConfig) -> None:
    """Builds every part for a toy catalogue, takes one step and ranks: a bad value is found before any data is read."""
    size = instantiate(config.task.module).func.toy_size
    rows = Ragged.from_rows([[(user + step) % size for step in range(3)] for user in range(size)])
    rows = rows._replace(timestamps=np.arange(3 * size))
    questions = EvalSet(np.arange(size), rows.trim(tail=1), rows.trim(head=2))
    attributes = toy_attributes(config, size) if reads_attributes(config) else ()
    catalogue = Catalogue(num_items=size, train=rows, whole=rows, attributes=attributes)
    parts = assemble(config, Split(rows, questions, questions), catalogue)
    freeze(parts.task.get_submodule("model"), instantiate(config.init).freeze)
    make_logger(config)
    trainer = make_trainer(config)
    check_monitor(config.monitor, parts.task, trainer)
    check_protocol(parts.protocol)
    with refusals("the first step on a toy catalogue"):
        parts.task.rehearse(parts.datamodule, clip=getattr(trainer, "gradient_clip_val", None))
    instantiate(config.split)


def reads_attributes(config: DictConfig) -> bool:
    """Whether the task or a metric has a use for the items' attributes: only then need there be a file of them."""
    return instantiate(config.task.module).func.reads_attributes or lists_read_attributes(config.eval)


def lists_read_attributes(node: DictConfig) -> bool:
    """Whether a metric of that option of the group eval does."""
    return any(make.func.reads_attributes for make in _list_makers(node))  # pyright: ignore


def toy_attributes(config: DictConfig, size: int) -> list[ItemAttributes]:
    """The kinds that the data set is said to have, for the items of the toy catalogue."""
    names = [name for name, file in (config.data.get("attributes") or {}).items() if file is not None]
    rows = Ragged.from_rows(([[0], [0, 1], []] * size)[:size])
    return [ItemAttributes(name=str(name), rows=rows, vocabulary=Vocabulary(np.arange(2))) for name in names]


def wanted(factory: Callable[..., Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the facts that `factory` has a parameter for."""
    return {name: fact for name, fact in facts.items() if name in signature(factory).parameters}


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Says in one sentence what it was that torch or another library refused; this package's own refusals pass."""
    try:
        yield
    except Exception as error:
        if is_user_error(behind_hydra(error)):
            raise
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise ValueError(
            f"{what} fails ({reason}); check the values that were set (HYDRA_FULL_ERROR=1 shows where it fails)"
        ) from error


def check_task(make_task: Callable[..., Any], model: nn.Module, groups: Iterable[str]) -> None:
    """Raises ValueError where the task is not one for `model`, or has no use for a group that was chosen."""
    takes, name = signature(make_task, eval_str=True).parameters, type(model).__name__
    if not isinstance(model, takes["model"].annotation):
        raise ValueError(f"{name} is no {takes['model'].annotation.__name__}, as this task needs; leave out task=...")
    for group in groups:
        if group not in takes:
            raise ValueError(f"{name} takes no {group}; leave out {group}=...")


def check_users(model: nn.Module, splitter: Splitter, split: Split) -> None:
    """Raises ValueError where the model knows users by vectors that training makes, and the split asks others."""
    if not getattr(model, "has_user_vectors", False):
        return
    for part, questions in (("validation", split.valid), ("test", split.test)):
        cold = int(split.is_cold(questions).sum())
        if cold:
            raise ValueError(
                f"{type(model).__name__} knows each user by a vector, and the split ({splitter.describe()}) asks "
                f"{cold:,} of {len(questions.users):,} {part} users whom it never trains on; take a model that reads "
                "histories (sasrec, ease), or a split that trains on everybody it asks (leave_one_out)"
            )


def make_trainer(config: DictConfig, *more: Callback, logger: Logger | None = None) -> Trainer:
    """The Trainer with its callbacks, those given and the logger; ValueError for values that fail or pass unused."""
    clip = config.trainer.get("gradient_clip_val")
    if clip is not None and clip <= 0:
        raise ValueError(f"trainer.gradient_clip_val ({clip}) must be above 0; null switches clipping off")
    for name in ("limit_train_batches", "limit_val_batches"):
        if config.trainer.get(name) == 0:
            raise ValueError(f"trainer.{name} (0) must be above 0, or nothing is trained or validated; null is all")
    epochs, every = config.trainer.get("max_epochs"), config.trainer.get("check_val_every_n_epoch", 1)
    if every is not None and every < 1:
        raise ValueError(f"trainer.check_val_every_n_epoch ({every}) must be at least 1")
    if epochs is not None and 0 <= epochs < (every or 1):
        raise ValueError(
            f"trainer.check_val_every_n_epoch ({every}) must be at most trainer.max_epochs ({epochs}), "
            "or no epoch is ever validated"
        )
    callbacks = made("callbacks", config.callbacks)
    loggers = {} if logger is None else {"logger": logger}
    return made("trainer", config.trainer, callbacks=[*callbacks.values(), *more], **loggers)


def made(key: str, node: DictConfig, **facts: Any) -> Any:
    """What the node describes; a library's refusal of its values becomes one sentence that names the key."""
    try:
        return instantiate(node, **facts)
    except InstantiationException as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ValueError(f"{key} cannot be made: {reason}") from error


def check_protocol(protocol: RankingProtocol) -> None:
    """Raises ValueError where validation would be asked what the test is: its answers would choose the best epoch."""
    if protocol.has_own_targets:
        raise ValueError(
            f"eval.protocol: {type(protocol).__name__} asks the same of validation and test, so that the best epoch "
            "would be chosen on the test; train with another eval=, then recsys evaluate run=RUN with this one"
        )


def check_monitor(monitor: str, task: TrainingTask, trainer: Trainer) -> None:
    """Raises ValueError where the task does not log what chooses the best epoch, or the worst would be chosen."""
    watched = getattr(task.scheduler, "monitor", monitor)
    if watched not in task.monitors:
        raise ValueError(
            f"scheduler.monitor ({watched}) must be what the task measures, one of {', '.join(task.monitors)}"
        )
    if monitor not in task.monitors:
        raise ValueError(f"monitor ({monitor}) must be what the task measures, one of {', '.join(task.monitors)}")
    mode, option = ("min", "lowest_loss") if task.lower_is_better else ("max", "default")
    for callback in getattr(trainer, "callbacks", ()):
        if getattr(callback, "monitor", None) == monitor and callback.mode != mode:
            raise ValueError(
                f"callbacks: {type(callback).__name__}.mode ({callback.mode}) would choose the worst {monitor}; "
                f"set it to {mode}, or name callbacks={option} last"
            )
