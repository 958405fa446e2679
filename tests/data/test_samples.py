import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.ragged import Ragged
from recsys.data.samples import EveryPrefix, WholeRows


@given(st.lists(st.lists(st.integers(0, 9), max_size=7), min_size=1).filter(any), st.integers(1, 8))
def test_every_prefix_of_the_last_items_of_every_user(rows: list[list[int]], max_length: int) -> None:
    found = EveryPrefix(max_length=max_length)(Ragged.from_rows(rows))
    expected = []
    for user, row in enumerate(rows):
        kept = row[-max_length:]
        expected += [(user, kept[:size]) for size in range(1, len(kept) + 1)]
    assert [(user, found.rows.row(i).tolist()) for i, user in enumerate(found.users.tolist())] == expected


def test_prefixes_are_views() -> None:
    rows = Ragged.from_rows([[1, 2, 3], [4, 5]])
    assert np.shares_memory(EveryPrefix(max_length=2)(rows).rows.values, rows.values)


def test_whole_rows_have_something_to_predict() -> None:
    found = WholeRows()(Ragged.from_rows([[1], [2, 3], [], [4, 5, 6]]))
    assert found.users.tolist() == [1, 3]
    assert found.rows.lengths.tolist() == [2, 3]


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="no user has 2 training items"):
        WholeRows()(Ragged.from_rows([[1], []]))
    with pytest.raises(ValueError, match="no user has a training item"):
        EveryPrefix(max_length=3)(Ragged.from_rows([[], []]))
