import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.ragged import Ragged

rows = st.lists(st.lists(st.integers(0, 50), max_size=8), min_size=1, max_size=8)


@given(rows)
def test_rows_come_back(lists: list[list[int]]) -> None:
    ragged = Ragged.from_rows(lists)
    assert [ragged.row(index).tolist() for index in range(ragged.num_rows)] == lists
    assert ragged.flat().tolist() == [value for row in lists for value in row]
    assert ragged.row_ids().tolist() == [index for index, row in enumerate(lists) for _ in row]


@given(rows, st.integers(0, 3), st.integers(0, 3))
def test_trim_and_last_slice_every_row(lists: list[list[int]], head: int, tail: int) -> None:
    trimmed = Ragged.from_rows(lists).trim(head=head, tail=tail)
    expected = [row[head : max(len(row) - tail, head)] for row in lists]
    assert [trimmed.row(index).tolist() for index in range(len(lists))] == expected
    assert trimmed.flat().tolist() == [value for row in expected for value in row]


@given(rows, st.integers(1, 6))
def test_padded_is_the_last_values_left_aligned(lists: list[list[int]], width: int) -> None:
    matrix = Ragged.from_rows(lists).padded(width, -1)
    expected = [row[-width:] + [-1] * (width - len(row[-width:])) for row in lists]
    assert matrix.tolist() == expected


def test_a_view_copies_nothing() -> None:
    ragged = Ragged.from_rows([[1, 2, 3], [4, 5]])
    view = ragged.trim(tail=1).take(np.array([1, 0]))
    assert view.values is ragged.values
    assert view.row(0).tolist() == [4]
