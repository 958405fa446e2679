"""Strata, missed items, failed users and the order of models, against counts by hand."""

import pandas as pd
import pytest

from recsys.report.errors import agreement, missed_by_all, missed_items, worst_users
from recsys.report.strata import by_history, by_popularity

MEANS = {
    "a": pd.Series({1: 0.0, 2: 0.0, 3: 1.0, 4: 0.0}),
    "b": pd.Series({1: 0.0, 2: 0.5, 3: 0.0, 4: 0.0}),
    "c": pd.Series({1: 0.0, 2: 0.7, 3: 0.2, 4: 0.0}),
}
USERS = pd.DataFrame(
    {
        "user": [1, 2, 3, 4],
        "history": [10, 20, 30, 40],
        "item": ["x", "y", "x", "z"],
        "popularity": [5, 1, 5, 9],
        "about": ["", "Drama", "", ""],
    }
)


def test_strata_hold_every_user_once_and_their_mean() -> None:
    strata = by_history(USERS, MEANS)
    assert [(row.low, row.high, row.num_users) for row in strata] == [(v, v, 1) for v in (10, 20, 30, 40)]
    assert strata[1].means == {"a": 0.0, "b": 0.5, "c": 0.7}


def test_equal_values_share_a_stratum() -> None:
    strata = by_popularity(USERS, MEANS)
    assert [(row.low, row.num_users) for row in strata] == [(1, 1), (5, 2), (9, 1)]
    assert strata[1].means["a"] == 0.5


def test_users_missed_by_all() -> None:
    assert missed_by_all(MEANS).to_dict() == {1: True, 2: False, 3: False, 4: True}


def test_an_item_that_one_user_gets_is_not_missed() -> None:
    items = missed_items(USERS, MEANS)
    assert items["item"].to_list() == ["z"]  # x is found for user 3
    assert items.loc[0, ["asked", "popularity"]].to_list() == [1, 9]


def test_users_with_several_targets_say_nothing_about_an_item() -> None:
    twice = pd.concat([USERS, USERS[USERS["user"] == 4].assign(item="w")])
    assert missed_items(twice, MEANS).empty


def test_the_worst_users_are_those_whom_the_others_serve() -> None:
    worst = worst_users("a", MEANS)
    assert worst["user"].to_list() == [2]
    assert worst.loc[0, "behind"] == pytest.approx(0.6)
    assert worst_users("a", {"a": MEANS["a"]}).empty


def test_kendalls_tau_by_hand() -> None:
    found = agreement({"a": 3, "b": 2, "c": 1}, {"a": 2, "b": 3, "c": 1})
    assert found is not None
    assert found.tau == pytest.approx(1 / 3)  # two pairs agree, one is turned
    assert found.swapped == [("a", "b")]


@pytest.mark.parametrize("validation", [{}, {"a": 1}, {"a": 1, "b": 1}])
def test_no_order_no_tau(validation: dict) -> None:
    assert agreement(validation, {"a": 1, "b": 2}) is None
