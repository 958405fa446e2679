"""The order of interactions: compiled code against sorting row by row."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys import parallel
from recsys.data import order
from recsys.data.order import by_user_and_time, sorted_in_compiled_code
from recsys.kernels.library import library

TIMES = (
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 3),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, -1.5, 1e-300]),
)

needs_compiler = pytest.mark.skipif(library() is None, reason="no C compiler")


def sorted_rows(users: list[int], times: Sequence[float | None] | None) -> list[int]:
    return sorted(range(len(users)), key=lambda row: (users[row], times[row] if times else 0))


def starts_of(users: list[int]) -> np.ndarray:
    return np.append(0, np.cumsum(np.bincount(users, minlength=1)))


@pytest.mark.parametrize("ordered", [by_user_and_time, pytest.param(sorted_in_compiled_code, marks=needs_compiler)])
@settings(deadline=None)
@given(data=st.data())
def test_by_user_then_time_then_row(ordered: Callable[..., np.ndarray], data: st.DataObject) -> None:
    users = data.draw(st.lists(st.integers(0, 3), max_size=150))
    each = data.draw(st.sampled_from(TIMES))
    times = data.draw(st.lists(each, min_size=len(users), max_size=len(users)))
    known = None if None in times else times
    array = None if known is None else np.array(known, dtype=np.float64 if float in map(type, known) else np.int64)
    assert ordered(np.array(users, dtype=np.int64), starts_of(users), array).tolist() == sorted_rows(users, known)


@needs_compiler
@pytest.mark.parametrize("type_", ["i8", "i4", "f8", "f4"])
def test_long_histories_in_two_ranges(type_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "ranges", lambda costs: [(0, 17), (17, len(costs))])
    generator = np.random.default_rng(0)
    users = generator.integers(0, 40, 20_000)
    times = generator.integers(-300, 300, len(users)).astype(type_)
    found = sorted_in_compiled_code(users, starts_of(users.tolist()), times)
    assert np.array_equal(found, np.lexsort((times, users)))


@needs_compiler
@pytest.mark.parametrize(
    ("type_", "compiled"), [("i8", True), ("f8", True), (None, True), ("u8", False), ("longdouble", False)]
)
def test_many_rows_are_sorted_like_few(type_: str | None, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    users, starts = np.array([1, 0, 1, 0, 1]), np.array([0, 2, 5])
    times = None if type_ is None else np.array([9, 5, 9, 4, 1], dtype=type_)
    few = by_user_and_time(users, starts, times)
    if times is not None:
        times.flags.writeable = False  # as what Arrow hands over
    called = []
    monkeypatch.setattr(order, "COMPILED_FROM", 1)
    monkeypatch.setattr(
        order, "sorted_in_compiled_code", lambda *given: called.append(1) or sorted_in_compiled_code(*given)
    )
    assert by_user_and_time(users, starts, times).tolist() == few.tolist()
    assert bool(called) == compiled
    assert few.tolist() == ([1, 3, 0, 2, 4] if times is None else [3, 1, 4, 0, 2])
