"""What kernels draw at random."""

import ctypes

import torch

from recsys.draws import generator

LEVELS = 256  # values of a random byte


def num_dropped(p: float) -> int:
    """Of LEVELS values, those that drop."""
    return min(LEVELS - 1, round(p * LEVELS))


class Draws(ctypes.Structure):
    """Which elements a kernel drops: those whose random byte is below `dropped`."""

    _fields_ = [("dropped", ctypes.c_uint32), ("low", ctypes.c_uint32), ("high", ctypes.c_uint32)]

    @classmethod
    def of(cls, p: float) -> "Draws":
        """With probability `p`, rounded to 1/256; new ones at each call."""
        low, high = torch.randint(2**32, (2,), generator=generator()).tolist() if p else (0, 0)
        return cls(num_dropped(p), low, high)
