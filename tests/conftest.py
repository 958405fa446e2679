"""Settings shared by all tests."""

import os

import pytest

os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # as the command line does: before torch is imported

import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same random numbers in every test, whatever ran before it."""
    torch.manual_seed(0)
