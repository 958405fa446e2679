"""All prefixes of a history in one pass, for RecBole's models that look back only.

RecBole encodes each prefix as a row of its own and keeps the state of the last position. Where a state depends on
nothing after it, one pass over the whole row gives them all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

ROWS, LENGTH = 3, 6  # of the test histories


@contextmanager
def every_position(wrapped: Any, mask: Tensor) -> Iterator[None]:
    """Within, the model's states of a batch are those of all positions in `mask` [B, L], [N, D], not of the last."""
    wrapped.gather_indexes = lambda states, index: states[mask]
    try:
        yield
    finally:
        del wrapped.gather_indexes


@torch.no_grad()
def check_all_positions(wrapped: Any) -> None:
    """Raises ValueError where one pass doesn't give what each prefix by itself does; tried on a few histories."""
    name, training = type(wrapped).__name__, wrapped.training
    refusal = ValueError(
        f"RecBole's {name} has to encode every prefix by itself: its state at a position depends on what follows, or "
        "is not of a position at all; leave out task=recbole_all_positions"
    )
    wrapped.eval()
    items = 1 + torch.arange(ROWS * LENGTH).view(ROWS, LENGTH) % (wrapped.n_items - 1)  # [R, L]
    lengths = torch.full((ROWS,), LENGTH)
    mask = torch.ones_like(items, dtype=torch.bool)
    try:
        with every_position(wrapped, mask):
            together = wrapped.forward(items, lengths).view(ROWS, LENGTH, -1)
        for length in range(1, LENGTH + 1):
            prefix = items * (torch.arange(LENGTH) < length)
            alone = wrapped.forward(prefix, torch.full((ROWS,), length))
            if not torch.allclose(together[:, length - 1], alone, atol=1e-5, rtol=1e-4):
                raise refusal
    except (TypeError, RuntimeError, LookupError) as error:  # another signature, other shapes
        raise refusal from error
    finally:
        wrapped.train(training)
