"""Settings shared by all tests."""

import os
from collections.abc import Callable, Iterator

import pytest

from recsys.startup import settle_process

os.environ.setdefault("NUMBA_DISABLE_JIT", "1")  # ranx's numbers are the same, without half a minute of compiling
settle_process()  # as the command line does: before torch is imported
if "PYTEST_XDIST_WORKER" in os.environ:  # workers that share the cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same random numbers in every test, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Sets how many torch has, for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)
