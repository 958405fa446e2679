"""The order of interactions: compiled code against sorting row by row."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys import parallel
from recsys.data import order
from recsys.data.order import by_user_and_time, sorted_in_compiled_code
from recsys.kernels.library import library

TIMES = (
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 3),
    st.integers(2**31, 2**31 + 50),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, -1.5, 1e-300]),
)

needs_compiler = pytest.mark.skipif(library() is None, reason="no C compiler")


def sorted_rows(users: Sequence[int], times: Sequence[float | None] | None) -> list[int]:
    return sorted(range(len(users)), key=lambda row: (users[row], times[row] if times else 0))


def columns_of(times: np.ndarray | None, count: int) -> dict[str, np.ndarray]:
    """Each row's number in every width, and its time."""
    columns = {type_: np.arange(count).astype(type_) for type_ in ("i4", "i8", "f4", "f8")}
    return columns if times is None else columns | {"when": times}


def found_by(ordered: Callable[..., tuple], users: np.ndarray, times: np.ndarray | None, num_users: int) -> tuple:
    """Offsets, and of each column its type and numbers, as `ordered` lays them out."""
    columns, offsets = ordered(columns_of(times, len(users)), users, num_users=num_users, time="when")
    return offsets.tolist(), {name: (column.dtype, column.tolist()) for name, column in columns.items()}


def expected(users: np.ndarray, times: np.ndarray | None, num_users: int) -> tuple:
    """The same, row by row."""
    rows = sorted_rows(users.tolist(), None if times is None else times.tolist())
    columns = columns_of(times, len(users))
    offsets = [int((users < user).sum()) for user in range(num_users + 1)]
    return offsets, {name: (column.dtype, column[rows].tolist()) for name, column in columns.items()}


@pytest.mark.parametrize("ordered", [by_user_and_time, pytest.param(sorted_in_compiled_code, marks=needs_compiler)])
@settings(deadline=None)
@given(data=st.data())
def test_by_user_then_time_then_row(ordered: Callable[..., tuple], data: st.DataObject) -> None:
    users = data.draw(st.lists(st.integers(0, 3), max_size=150))
    each = data.draw(st.sampled_from(TIMES))
    times = data.draw(st.lists(each, min_size=len(users), max_size=len(users)))
    known = None if None in times else np.array(times, dtype=np.float64 if float in map(type, times) else np.int64)
    given = np.array(users, dtype=np.int64), known, 5
    assert found_by(ordered, *given) == expected(*given)


@needs_compiler
@pytest.mark.parametrize("type_", ["i8", "i4", "f8", "f4"])
@pytest.mark.parametrize("spread", [300, 2**30])
def test_long_histories_in_two_ranges(type_: str, spread: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "ranges", lambda costs: [(0, 17), (17, len(costs))])
    monkeypatch.setattr(parallel, "even_ranges", lambda count, **_: [(0, 7_777), (7_777, count)])
    generator = np.random.default_rng(0)
    users = generator.integers(0, 40, 20_000)
    times = generator.integers(-spread, spread, len(users)).astype(type_)
    assert found_by(sorted_in_compiled_code, users, times, 41) == expected(users, times, 41)


@needs_compiler
@settings(deadline=None)
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=300))
@example([1])
@example(list(range(64, 0, -1)))
def test_one_history_of_any_length(times: list[int]) -> None:
    given = np.zeros(len(times), dtype=np.int64), np.array(times), 1
    assert found_by(sorted_in_compiled_code, *given) == expected(*given)


@needs_compiler
@pytest.mark.parametrize(
    ("type_", "compiled"), [("i8", True), (">i8", True), ("f8", True), (None, True), ("u8", False), ("f2", False)]
)
def test_many_rows_are_sorted_like_few(type_: str | None, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    users = np.array([1, 0, 1, 0, 1], dtype=np.int32)
    times = None if type_ is None else np.array([9, 5, 9, 4, 1], dtype=type_)
    if times is not None:
        times.flags.writeable = False  # as what Arrow hands over
    assert found_by(by_user_and_time, users, times, 2) == expected(users, times, 2)
    called = []
    monkeypatch.setattr(order, "COMPILED_FROM", 1)

    def seen(*given: Any, **more: Any) -> tuple:
        called.append(1)
        return sorted_in_compiled_code(*given, **more)

    monkeypatch.setattr(order, "sorted_in_compiled_code", seen)
    assert found_by(by_user_and_time, users, times, 2) == expected(users, times, 2)
    assert bool(called) == compiled


@needs_compiler
@pytest.mark.parametrize("function", ["order_rows", "reorder_rows"])
def test_without_memory_nothing_goes_on(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = parallel.call_each

    def failing(name: str, several: Sequence) -> list[int]:
        return [0 for _ in several] if name == function else real(name, several)

    monkeypatch.setattr(parallel, "call_each", failing)
    with pytest.raises(MemoryError, match="sorting the interactions; close other programs"):
        sorted_in_compiled_code({"when": np.array([2, 1])}, np.array([0, 0]), num_users=1, time="when")


@needs_compiler
def test_every_second_row_of_a_table() -> None:
    table = np.arange(40).reshape(20, 2)
    users = np.repeat([1, 0], 10)
    found, _ = sorted_in_compiled_code({"when": -table[:, 1]}, users, num_users=2, time="when")
    assert found["when"].tolist() == sorted((-table[10:, 1]).tolist()) + sorted((-table[:10, 1]).tolist())
