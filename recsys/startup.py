"""What is best settled before torch is imported; without torch itself, so that `--help` is quick."""

import ctypes
import os
from contextlib import suppress

KEPT = 256 * 2**20  # bytes
FROM_THE_HEAP = 32 * 2**20  # bytes; the most that glibc takes
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>


def settle_process() -> None:
    """How threads wait and what becomes of freed memory, for speed; GOMP_SPINCOUNT and MALLOC_* come first where set.

    A thread of OpenMP spins for about .1 ms before it sleeps: its own default makes a run ten times slower as soon as
    another program wants a core, and sleeping at once makes small steps a third slower, as waking takes longer than
    most operations. Read when torch is first imported.

    glibc keeps memory that is freed: to get it anew, page by page, takes as long as many operations themselves.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")
    if not any(name.startswith("MALLOC_") for name in os.environ):
        with suppress(OSError, AttributeError, TypeError):  # what is not glibc has no such function
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(M_TRIM_THRESHOLD, KEPT)
            mallopt(M_MMAP_THRESHOLD, FROM_THE_HEAP)
