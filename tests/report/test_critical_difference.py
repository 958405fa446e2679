"""Friedman and Nemenyi against Demsar's published numbers and scipy."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from recsys.report.critical_difference import critical_difference


@pytest.mark.parametrize(("k", "q"), [(3, 2.343), (5, 2.728), (10, 3.164)])  # Demsar (2006), table 5(a)
def test_the_difference_uses_demsars_critical_values(k: int, q: float) -> None:
    scores = pd.DataFrame(np.random.default_rng(0).random((12, k)), columns=[f"m{i}" for i in range(k)])
    assert critical_difference(scores).difference == pytest.approx(q * math.sqrt(k * (k + 1) / 72), abs=1e-3)


def test_ranks_groups_and_p_by_hand() -> None:
    scores = pd.DataFrame({"c": [1.0] * 8, "a": [3.0] * 8, "b": [2.0] * 7 + [3.0]})
    found = critical_difference(scores)
    assert found.ranks == {"a": 1.0625, "b": 1.9375, "c": 3.0}  # the last data set: a and b share rank 1.5
    assert list(found.ranks) == ["a", "b", "c"]
    assert found.p_value == stats.friedmanchisquare(*scores.to_numpy().T).pvalue
    assert found.groups == [["a", "b"], ["b", "c"]]  # CD = 2.343 sqrt(12 / 48) = 1.17


def test_far_apart_models_are_in_no_group() -> None:
    scores = pd.DataFrame({"a": [3.0] * 40, "b": [2.0] * 40, "c": [1.0] * 40})
    assert critical_difference(scores).groups == []


def test_models_that_all_score_alike_do_not_differ() -> None:
    found = critical_difference(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, 2.0], "c": [1.0, 2.0]}))
    assert found.p_value == 1
    assert found.groups == [["a", "b", "c"]]


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({"a": [1, 2], "b": [2, 1]}, "needs 3 models on 2 data sets, got 2 on 2"),
        ({"a": [1], "b": [2], "c": [3]}, "got 3 on 1"),
        ({"a": [1, 2], "b": [2, 1], "c": [3, np.nan]}, "every model on every data set"),
    ],
)
def test_too_little_is_refused(scores: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        critical_difference(pd.DataFrame(scores))
