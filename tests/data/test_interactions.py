"""Filters and vocabulary against brute force."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.interactions import (
    Vocabulary,
    at_least,
    check_interactions,
    filter_interactions,
    k_core,
)

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=9)


def is_core(rows: list[tuple[int, int]], user: int, item: int) -> bool:
    """Whether every user and every item of the rows has enough of them."""
    users, items = [pair[0] for pair in rows], [pair[1] for pair in rows]
    return all(users.count(u) >= user for u in users) and all(items.count(i) >= item for i in items)


@settings(deadline=None)
@given(PAIRS, st.integers(0, 4), st.integers(0, 4))
def test_k_core_is_the_largest_set_of_rows_that_satisfies_it(
    pairs: list[tuple[int, int]], user: int, item: int
) -> None:
    frame = pd.DataFrame(pairs, columns=["user", "item"], dtype=np.int64)
    found = list(k_core(frame, user=user, item=item).itertuples(index=False, name=None))
    subsets = (
        [pairs[i] for i in chosen]
        for size in range(len(pairs), -1, -1)
        for chosen in combinations(range(len(pairs)), size)
    )
    assert found == next(rows for rows in subsets if is_core(rows, user, item))


def test_k_core_repeats_until_nothing_changes() -> None:
    chain = pd.DataFrame({"user": list("abbccdd"), "item": [1, 1, 2, 2, 3, 3, 4]})
    assert len(k_core(chain, user=2, item=2)) == 0
    assert k_core(chain, user=2, item=0)["user"].tolist() == list("bbccdd")


@settings(deadline=None)
@given(st.one_of(st.lists(st.integers(-(2**62), 2**62), min_size=1), st.lists(st.text("ab7é", min_size=1), min_size=1)))
def test_a_vocabulary_holds_each_value_once(values: list) -> None:
    vocabulary = Vocabulary.from_values(values)
    assert vocabulary.ids.tolist() == sorted(set(values))
    assert vocabulary.ids[vocabulary.find(values)].tolist() == values
    assert len(vocabulary) == len(set(values))
    assert vocabulary.find(values).dtype == np.int64


IDS = st.one_of(
    st.lists(st.integers(0, 12), min_size=13),  # a table of them all is small
    st.lists(st.integers(-5, 40), min_size=1),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1),
    st.lists(st.text("ab7é", min_size=1), min_size=1),
)


@settings(deadline=None)
@given(IDS)
def test_encoded_values_are_found_again(values: list) -> None:
    vocabulary, index = Vocabulary.encoded(values)
    assert vocabulary.ids.tolist() == sorted(set(values))
    assert vocabulary.ids[index].tolist() == values
    assert index.dtype == np.int32


@pytest.mark.parametrize("type_", ["int8", "int32", "int64", ">i8", "uint64", "Int64"])
def test_integers_of_any_type_are_numbered_alike(type_: str) -> None:
    vocabulary, index = Vocabulary.encoded(pd.Series([5, 0, 2, 2, 5, 0], dtype=type_))
    assert vocabulary.ids.tolist() == [0, 2, 5]
    assert (vocabulary.ids.dtype, index.dtype) == (np.int64, np.int32)
    assert index.tolist() == [2, 0, 1, 1, 2, 0]


def test_an_unknown_id_is_minus_one() -> None:
    vocabulary = Vocabulary.from_values(pd.Series(["b", "a"]))
    assert vocabulary.find(["a", "c", "b"]).tolist() == [0, -1, 1]


@pytest.mark.parametrize("values", [[1.5, 2.0], [True, False], ["a", None], ["a", 1]])
def test_ids_must_be_integers_or_strings(values: list) -> None:
    with pytest.raises(ValueError, match="ids must be integers or strings"):
        Vocabulary.from_values(values)


def test_at_least_keeps_the_threshold_itself() -> None:
    frame = pd.DataFrame({"user": [1, 2, 3], "item": [1, 1, 1], "rating": [3.5, 4.0, 4.5]})
    assert at_least(frame, 4)["user"].tolist() == [2, 3]
    with pytest.raises(ValueError, match=r"min_rating \(4\) needs ratings and there are none"):
        at_least(frame.drop(columns="rating"), 4)


def test_filters_that_leave_nothing_say_what_each_removed() -> None:
    frame = pd.DataFrame({"user": [1, 1, 2], "item": [1, 2, 3], "rating": [1.0, 5.0, 5.0]})
    message = (
        r"no interaction is left of 3: min_rating=2 removed 1, "
        r"then min_user_items=2 with min_item_users=0 removed 2; lower them under data"
    )
    with pytest.raises(ValueError, match=message):
        filter_interactions(frame, min_rating=2, min_user_items=2, min_item_users=0)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"user": [1], "title": ["x"]}, "need a column 'item', got user, title"),
        (
            {"user": [1, 2], "item": [1, 1], "rating": [1.0, np.nan]},
            "'rating' must hold numbers, got .*nan.* row 1",
        ),
        ({"user": [1], "item": [1], "timestamp": ["x"]}, "'timestamp' must hold numbers, got 'x' in row 0"),
    ],
)
def test_frames_of_another_schema_are_refused(frame: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_interactions(pd.DataFrame(frame))
