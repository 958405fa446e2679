"""All prefixes of a history in one pass, for RecBole's models that look back only.

RecBole encodes each prefix as a row of its own and keeps the state of the last position. Where a state depends on
nothing after it, one pass over the whole row gives them all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

ROWS, LENGTH = 3, 6  # of the test histories, which the model may read less of


@contextmanager
def every_position(wrapped: Any, mask: Tensor) -> Iterator[None]:
    """Within, the model's states of a batch are those of all positions in `mask` [B, L], [N, D], not of the last."""
    wrapped.gather_indexes = lambda states, index: states[mask]
    try:
        yield
    finally:
        del wrapped.gather_indexes


def check_all_positions(wrapped: Any) -> None:
    """Raises ValueError where one pass doesn't give what each prefix by itself does."""
    if not fits_all_positions(wrapped):
        raise ValueError(
            f"RecBole's {type(wrapped).__name__} cannot be trained at all positions at once: its forward doesn't turn "
            "a history alone into one state, of the last position, that nothing after it would change; leave out "
            "task=recbole_all_positions"
        )


@torch.no_grad()
def fits_all_positions(wrapped: Any) -> bool:
    """Whether one pass gives what each prefix by itself does; tried on a few histories."""
    training = wrapped.training
    wrapped.eval()
    try:
        return _together_as_alone(wrapped)
    except (AttributeError, TypeError, RuntimeError, LookupError):  # another signature, other shapes
        return False
    finally:
        wrapped.train(training)


def _together_as_alone(wrapped: Any) -> bool:
    """Whether one pass gives the states that prefix after prefix gives."""
    width = min(LENGTH, wrapped.max_seq_length)
    items = 1 + torch.arange(ROWS * width).view(ROWS, width) % (wrapped.n_items - 1)  # [R, L]
    lengths = torch.full((ROWS,), width)
    mask = torch.ones_like(items, dtype=torch.bool)
    with every_position(wrapped, mask):
        together = wrapped.forward(items, lengths).view(ROWS, width, -1)
    for length in range(1, width + 1):
        prefix = items * (torch.arange(width) < length)
        alone = wrapped.forward(prefix, torch.full((ROWS,), length))
        if not torch.allclose(together[:, length - 1], alone, atol=1e-5, rtol=1e-4):
            return False
    return True
