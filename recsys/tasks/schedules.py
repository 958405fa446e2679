"""Learning-rate schedules: a curve, and the clock that moves it on.

A schedule has two moments. `attach` makes the scheduler when training begins and tells Lightning when to step it;
`validated` is called with the metrics of each validation.
"""

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, Self

from pytorch_lightning import Trainer
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

Interval = Literal["step", "epoch"]


class Horizon(NamedTuple):
    """How many optimiser steps and epochs training takes at most; infinite where nothing limits them."""

    step: float
    epoch: float

    @classmethod
    def of(cls, trainer: Trainer) -> Self:
        """What the Trainer's limits and the number of batches come to."""
        epochs = trainer.max_epochs
        return cls(trainer.estimated_stepping_batches, math.inf if epochs in (None, -1) else epochs)


class Schedule:
    """A curve that goes its way whatever happens.

    curve: makes torch's scheduler from the optimiser; its numbers count optimiser steps or epochs.
    interval: which of the two: "step" moves on after each optimiser step, "epoch" after each epoch.
    """

    def __init__(self, *, curve: Callable[..., LRScheduler], interval: Interval) -> None:
        self.curve = curve
        self.interval: Interval = interval

    def attach(self, optimizer: Optimizer, horizon: Horizon) -> dict[str, Any]:
        """The scheduler and its clock, as Lightning's `configure_optimizers` returns them."""
        return {"scheduler": self.curve(optimizer), "interval": self.interval}

    def validated(self, scheduler: Any, metrics: Mapping[str, Tensor]) -> None:
        """Nothing: its clock is not the validation."""


class ScheduleToEnd(Schedule):
    """A curve that ends where training does at the latest: it is also given `total`, in steps or epochs."""

    def attach(self, optimizer: Optimizer, horizon: Horizon) -> dict[str, Any]:
        total = getattr(horizon, self.interval)
        if math.isinf(total):
            raise ValueError(
                "scheduler: its curve ends with training, which nothing limits; "
                "set trainer.max_epochs, or a scheduler without an end such as scheduler=warmup"
            )
        return {"scheduler": self.curve(optimizer, total=int(total)), "interval": self.interval}


class ScheduleOnPlateau:
    """Lowers the learning rate when a validation metric has stopped improving; its clock is the validation.

    curve: makes ReduceLROnPlateau from the optimiser; its patience counts validations.
    monitor: name of the metric, such as `val/ndcg@10`.
    """

    def __init__(self, *, curve: Callable[..., ReduceLROnPlateau], monitor: str) -> None:
        self.curve = curve
        self.monitor = monitor

    def attach(self, optimizer: Optimizer, horizon: Horizon) -> dict[str, Any]:
        """Lightning keeps the scheduler's state and, at this frequency, never steps it.

        It would do so after an epoch's checkpoint is written, a step that a resumed run would miss, and after
        epochs that were not validated.
        """
        scheduler = self.curve(optimizer)
        return {"scheduler": scheduler, "monitor": self.monitor, "interval": "epoch", "frequency": sys.maxsize}

    def validated(self, scheduler: Any, metrics: Mapping[str, Tensor]) -> None:
        """Steps on the monitored metric. ValueError where the validation does not give it."""
        if self.monitor not in metrics:
            raise ValueError(f"scheduler.monitor ({self.monitor}) must be one of {', '.join(metrics)}")
        scheduler.step(metrics[self.monitor])
