"""The two ways of `recsys refit`: what is trained on, from which weights, for how long."""

from abc import ABC, abstractmethod

import numpy as np
from pytorch_lightning import Callback
from rich.console import Console

from recsys.callbacks import ContinueFrom
from recsys.data.collators.restricted import Restricted, held_out_pairs
from recsys.data.datamodule import SequenceDataModule
from recsys.data.samples import Samples
from recsys.initialisation import Scratch, freeze
from recsys.runs.assembly import Parts
from recsys.runs.fitting import initialise, load_best
from recsys.runs.rebuilding import Rebuilt


class Plan(ABC):
    """before: the run. parts: those of the refit, its data module holding every row."""

    @abstractmethod
    def check(self, before: Rebuilt) -> None:
        """ValueError where a model can't be trained so."""

    @abstractmethod
    def epochs(self, before: Rebuilt, parts: Parts) -> int:
        """How many, where nobody says."""

    @abstractmethod
    def prepare(self, before: Rebuilt, parts: Parts, init: Scratch, console: Console) -> list[Callback]:
        """First weights and batches; returns what has to be called during training."""

    @abstractmethod
    def describe(self, before: Rebuilt, parts: Parts) -> str:
        """What is learned from, in words, once all is prepared."""


class Full(Plan):
    """Anew on everything.

    Optimiser steps: as many as up to the best epoch, times all interactions over those of training. An epoch of more
    rows has more steps already, so that leave-one-out's grows by a few, and a split that holds out users by none.
    """

    def check(self, before: Rebuilt) -> None:
        if monitor := getattr(before.task.scheduler, "monitor", None):
            raise ValueError(
                f"the schedule lowers the learning rate by {monitor}, and nothing is held out to measure it on; "
                "use how=swap, or train with another scheduler"
            )

    def epochs(self, before: Rebuilt, parts: Parts) -> int:
        if _is_solved(before):
            return 1
        data = before.data
        steps = _steps(before.parts.datamodule) / _steps(parts.datamodule)
        grown = data.sequences.num_interactions / int(data.split.train.lengths.sum())
        return max(1, round(((data.run.best_epoch or 0) + 1) * steps * grown))

    def prepare(self, before: Rebuilt, parts: Parts, init: Scratch, console: Console) -> list[Callback]:
        run, model = before.data.run, parts.task.get_submodule("model")
        known = {"options": run.config["model"], "fingerprints": run.fingerprints}
        initialise(init, model, console, catalogue=before.catalogue, **known)
        return []

    def describe(self, before: Rebuilt, parts: Parts) -> str:
        trained, there = int(before.data.split.train.lengths.sum()), before.data.sequences.num_interactions
        return f"with all {there:,} interactions ({there - trained:,} were held out)"


class Swap(Plan):
    """On from the best epoch, optimiser and learning rate included; the loss is on held-out interactions alone.

    Whole rows are read, so each is predicted from all that came before it. Where the metric of the training side holds
    while that of the held-out side rises, what was learned is not at odds with what was held out.
    """

    def check(self, before: Rebuilt) -> None:
        model = before.task.get_submodule("model")
        if _is_solved(before):
            raise ValueError(f"{type(model).__name__} is solved for and has no epochs to go on with; use how=full")
        if getattr(model, "trains_whole_users", False):
            raise ValueError(
                f"{type(model).__name__} ({before.data.config.name}) trains on all items of a user at once, so the "
                "loss can't be on the held-out ones alone; use how=full"
            )

    def epochs(self, before: Rebuilt, parts: Parts) -> int:
        return 2

    def prepare(self, before: Rebuilt, parts: Parts, init: Scratch, console: Console) -> list[Callback]:
        data, best = parts.datamodule, before.data.run.path / "best.ckpt"
        load_best(parts, best, console)
        freeze(parts.task.get_submodule("model"), init.freeze)
        num_items = before.catalogue.num_items
        pairs = held_out_pairs(before.data.split.train, data.split.train, num_items=num_items)
        data.collator = Restricted(data.collator, pairs=pairs, num_items=num_items)
        users, rows = data.samples
        concerned = np.flatnonzero(np.isin(users, pairs // num_items))
        data.samples = Samples(users[concerned], rows.take(concerned))
        return [ContinueFrom(checkpoint=best)]

    def describe(self, before: Rebuilt, parts: Parts) -> str:
        data = parts.datamodule
        assert isinstance(data.collator, Restricted)
        users, rows = data.samples
        read = rows.last(data.max_length)
        reached = users[read.row_ids()] * data.num_items + read.flat().astype(np.int64)
        num_learned = int(np.isin(data.collator.pairs.numpy(), reached).sum())
        return f"more with a loss on {num_learned:,} held-out interactions alone"


PLANS: dict[str, Plan] = {"full": Full(), "swap": Swap()}


def _is_solved(before: Rebuilt) -> bool:
    """Whether the model is solved for, not trained."""
    return before.task.optimizer is None or getattr(before.task.get_submodule("model"), "is_solved", False)


def _steps(data: SequenceDataModule) -> int:
    """Optimiser steps of an epoch."""
    return -(-data.samples.rows.num_rows // data.batch_size)
