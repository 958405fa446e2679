"""Curves of the learning rate over time, which is counted in optimiser steps or in epochs by their `Schedule`."""

import math
from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, StepLR


def staircase(optimizer: Optimizer, *, every: int, factor: float) -> LRScheduler:
    """Every `every` steps or epochs the learning rate is multiplied by `factor`."""
    if every < 1:
        raise ValueError(f"every ({every}) must be at least 1; set scheduler.curve.every")
    return StepLR(optimizer, step_size=every, gamma=factor)


def cosine(optimizer: Optimizer, *, total: int, warmup: int = 0, final: float = 0.0) -> LRScheduler:
    """Linear warm-up, then half a cosine down to `final` at `total` (Loshchilov and Hutter, ICLR 2017; no restarts).

    warmup, total: in steps or epochs; final: share of the learning rate. Training may end within the warm-up.
    """
    return _warmed(optimizer, warmup, total, lambda share: final + (1 - final) * (1 + math.cos(math.pi * share)) / 2)


def linear(optimizer: Optimizer, *, total: int, warmup: int = 0, final: float = 0.0) -> LRScheduler:
    """Linear warm-up, then a straight line down to `final` at `total`; arguments as for `cosine`."""
    return _warmed(optimizer, warmup, total, lambda share: 1 - (1 - final) * share)


def _warmed(optimizer: Optimizer, warmup: int, total: int, decay: Callable[[float], float]) -> LRScheduler:
    """Time t from 0: (t + 1) / (warmup + 1) while t < warmup, then `decay` of the share of the rest that is over."""
    if warmup < 0:
        raise ValueError(f"warmup ({warmup}) must be at least 0; set scheduler.curve.warmup")

    def factor(time: int) -> float:
        if time < warmup:
            return (time + 1) / (warmup + 1)  # above zero from the first step on
        return decay(min(1.0, (time - warmup) / max(1, total - warmup)))

    return LambdaLR(optimizer, factor)
