"""The optimiser of the parameters that are trained, and its schedule."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.optim import Optimizer

from recsys.tasks.schedules import Horizon, Schedule, ScheduleOnPlateau

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
AnySchedule = Schedule | ScheduleOnPlateau


def optimization(
    parameters: Iterable[nn.Parameter], *, optimizer: MakeOptimizer, schedule: AnySchedule | None, horizon: Horizon
) -> dict[str, Any]:
    """Both, as Lightning's `configure_optimizers` returns them.

    ValueError where every parameter is frozen, or where torch refuses a value of one of the two.
    """
    trainable = [parameter for parameter in parameters if parameter.requires_grad]
    if not trainable:
        raise ValueError("every parameter is frozen, so there is nothing to train; unfreeze at least one layer")
    with _refusals("optimizer"):
        made = optimizer(trainable)
    if schedule is None:
        return {"optimizer": made}
    with _refusals("scheduler"):
        return {"optimizer": made, "lr_scheduler": schedule.attach(made, horizon)}


@contextmanager
def _refusals(group: str) -> Iterator[None]:
    """Says which part it was that torch refused to make."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{group} cannot be made: {error}") from error
