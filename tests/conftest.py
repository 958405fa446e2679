"""Settings shared by all tests."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same random numbers in every test, whatever ran before it."""
    torch.manual_seed(0)
