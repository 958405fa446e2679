"""Interactions in order: each user's together, oldest first."""

import numpy as np

COMPILED_FROM = 2**20  # rows; fewer are sorted in less time than importing what calls compiled code takes


def by_user_and_time(users: np.ndarray, starts: np.ndarray, times: np.ndarray | None) -> np.ndarray:
    """Positions [N] that sort by user, then time, then position.

    users: of each row, [N] int64, 0..U-1; starts: where each user's rows begin among the sorted, [U + 1] int64.
    times: finite numbers [N], or None where the rows stand in order of time.
    """
    if len(users) >= COMPILED_FROM and (times is None or _is_sortable(times.dtype)):
        from recsys.kernels.library import library

        if library() is not None:
            return sorted_in_compiled_code(users, starts, times)
    return np.lexsort((users,) if times is None else (times, users))


def sorted_in_compiled_code(users: np.ndarray, starts: np.ndarray, times: np.ndarray | None) -> np.ndarray:
    """The same by recsys/kernels/order.c, users side by side; times: signed integers or floats, at most 64 bits."""
    from recsys.kernels.library import require_memory
    from recsys.parallel import call_each, ranges

    keys = None if times is None else _sortable(times)
    events, order = np.empty((len(users), 2), dtype=np.int64), np.empty(len(users), dtype=np.int64)

    parts = ranges(np.diff(starts).tolist())
    found = call_each("order_rows", [(users, keys, len(users), starts, *part, events, order) for part in parts])
    require_memory(found, what="sorting the interactions; close other programs")
    return order


def _is_sortable(kind: np.dtype) -> bool:
    """Whether `_sortable` takes such times."""
    return kind.kind in "if" and kind.itemsize <= np.dtype(np.int64).itemsize


def _sortable(times: np.ndarray) -> np.ndarray:
    """int64 in the same order, equal where the times are."""
    if times.dtype.kind == "i":
        return np.ascontiguousarray(times, dtype=np.int64)
    bits = (times.astype(np.float64) + 0.0).view(np.int64)  # -0.0 becomes 0.0
    return np.where(bits < 0, bits ^ np.iinfo(np.int64).max, bits)  # numbers below 0 stand the other way round
