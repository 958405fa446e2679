"""What bad input is told."""

from collections.abc import Callable

import pytest


def message(call: Callable[[], object]) -> str:
    """The sentence of the ValueError that `call` raises."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the caller compares the whole sentence)
        call()
    return str(caught.value)
