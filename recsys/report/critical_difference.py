"""Many models on many data sets: Friedman's test and Nemenyi's critical difference."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats


class CriticalDifference(NamedTuple):
    """What a critical-difference diagram draws.

    ranks: model -> mean rank over the data sets, best (lowest) first.
    p_value: of Friedman's test that all models rank alike; difference: ranks further apart than this differ.
    groups: the largest sets of neighbouring models that the test can't tell apart, two models or more each.
    """

    ranks: dict[str, float]
    p_value: float
    difference: float
    num_data: int
    groups: list[list[str]]


def critical_difference(scores: pd.DataFrame, *, alpha: float = 0.05) -> CriticalDifference:
    """Demsar (JMLR 2006): CD = q_alpha sqrt(k (k + 1) / 6 N), k models on N data sets.

    q_alpha is the Studentised range of k means at infinite degrees of freedom, over sqrt(2); equal scores share their
    mean rank. scores: a row per data set, a column per model, higher is better, nothing missing. ValueError for fewer
    than three models or two data sets.
    """
    num_data, num_models = scores.shape
    if num_models < 3 or num_data < 2:
        raise ValueError(
            f"a critical difference needs 3 models on 2 data sets, got {num_models} on {num_data}; run more of them"
        )
    if scores.isna().to_numpy().any():
        raise ValueError("a critical difference needs every model on every data set; drop what is incomplete")
    ranks = scores.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    quantile = stats.studentized_range.ppf(1 - alpha, num_models, np.inf) / np.sqrt(2)
    difference = float(quantile * np.sqrt(num_models * (num_models + 1) / (6 * num_data)))
    alike = (scores.nunique(axis=1) == 1).all()  # scipy divides by zero
    p_value = 1.0 if alike else float(stats.friedmanchisquare(*scores.to_numpy().T).pvalue)
    return CriticalDifference(
        ranks={str(name): float(rank) for name, rank in ranks.items()},
        p_value=p_value,
        difference=difference,
        num_data=num_data,
        groups=_groups(ranks, difference),
    )


def _groups(ranks: pd.Series, difference: float) -> list[list[str]]:
    """Runs of neighbours within the difference that are part of no larger run."""
    found: list[list[str]] = []
    last = 0
    for start, rank in enumerate(ranks):
        end = int((ranks <= rank + difference).sum())
        if end > last and end - start > 1:
            found.append([str(name) for name in ranks.index[start:end]])
        last = max(last, end)
    return found
