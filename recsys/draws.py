"""Which generator random numbers come from."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_generator: ContextVar[torch.Generator | None] = ContextVar("generator", default=None)


def generator() -> torch.Generator | None:
    """What to draw from in this thread; None is torch's own."""
    return _generator.get()


@contextmanager
def drawing_from(own: torch.Generator) -> Iterator[None]:
    """Has this thread draw from a generator of its own."""
    token = _generator.set(own)
    try:
        yield
    finally:
        _generator.reset(token)
