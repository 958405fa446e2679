"""Interactions in order: each user's together, oldest first."""

from collections.abc import Mapping

import numpy as np

COMPILED_FROM = 2**20  # rows; fewer are sorted in less time than importing what calls compiled code takes
COMPILED_TO = 2**31 - 1  # rows and users, which are int32 there
AS_BITS = {4: np.int32, 8: np.int64}  # bytes of a number -> how compiled code takes it

SORTING = "sorting the interactions; close other programs"

Columns = dict[str, np.ndarray]


def by_user_and_time(
    columns: Mapping[str, np.ndarray], users: np.ndarray, *, num_users: int, time: str
) -> tuple[Columns, np.ndarray]:
    """The columns with each user's rows together, by time, equal times as they stand; and the offsets of the users.

    columns: values of the rows by name, [N] each; `time`: which of them are the times, finite numbers. Where there is
    no such column, the rows stand in order of time.
    users: of each row, [N] int32 or int64, 0..num_users-1.
    The offsets: where each user's rows begin, [num_users + 1] int64.
    """
    fits = len(users) <= COMPILED_TO and num_users <= COMPILED_TO
    if len(users) >= COMPILED_FROM and fits and all(map(_is_plain, columns.values())):
        from recsys.kernels.library import library

        if library() is not None:
            return sorted_in_compiled_code(columns, users, num_users=num_users, time=time)
    order = np.lexsort((columns[time], users) if time in columns else (users,))
    return {name: column[order] for name, column in columns.items()}, _offsets(np.bincount(users, minlength=num_users))


def sorted_in_compiled_code(
    columns: Mapping[str, np.ndarray], users: np.ndarray, *, num_users: int, time: str
) -> tuple[Columns, np.ndarray]:
    """The same by recsys/kernels/order.c, on all cores; columns: signed integers or floats of 32 or 64 bits."""
    from recsys.kernels.library import require_memory
    from recsys.parallel import call_each, even_ranges, ranges

    users = np.ascontiguousarray(users, dtype=np.int32)
    parts = even_ranges(len(users), step=max(1, num_users), cells=len(users))  # each has a count of all users
    counts = np.zeros((len(parts), num_users), dtype=np.int64)
    call_each("count_rows", [(users, *part, own) for part, own in zip(parts, counts, strict=True)])
    offsets = _offsets(counts.sum(axis=0))
    places = offsets[:-1] + np.cumsum(counts, axis=0) - counts  # where each part's rows of each user go

    def grouped(column: np.ndarray) -> np.ndarray:
        laid = np.empty_like(column)
        given, size = _bits(column), column.itemsize
        several = zip(parts, places.copy(), strict=True)  # which they count on
        call_each("group_rows", [(users, *part, own, given, size, _bits(laid)) for part, own in several])
        return laid

    found = {name: grouped(column) for name, column in columns.items()}
    if time in found:
        shares = ranges(np.diff(offsets).tolist())
        order, times = np.empty(len(users), dtype=np.int32), _sortable(found[time])
        done = call_each("order_rows", [(times, offsets, *share, order) for share in shares])
        require_memory(done, what=SORTING)  # without it there is no order
        for column in found.values():
            several = [(order, offsets, *share, _bits(column), column.itemsize) for share in shares]
            require_memory(call_each("reorder_rows", several), what=SORTING)
    return found, offsets


def _offsets(counts: np.ndarray) -> np.ndarray:
    return np.append(0, np.cumsum(counts))


def _is_plain(column: np.ndarray) -> bool:
    """Whether compiled code takes such a column."""
    return column.dtype.kind in "if" and column.itemsize in AS_BITS


def _bits(column: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(column).view(AS_BITS[column.itemsize])


def _sortable(times: np.ndarray) -> np.ndarray:
    """int64 in the same order, equal where the times are; the array itself where it is int64."""
    if times.dtype.kind == "i":
        return np.ascontiguousarray(times, dtype=np.int64)
    bits = (times.astype(np.float64) + 0.0).view(np.int64)  # -0.0 becomes 0.0
    return np.where(bits < 0, bits ^ np.iinfo(np.int64).max, bits)  # numbers below 0 stand the other way round
