"""Where models are good: by how long a user's history is, and by how popular what they chose next was."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

STRATA = 4


class Stratum(NamedTuple):
    """Users alike in one respect. low, high: its range; means: model -> mean metric."""

    low: float
    high: float
    num_users: int
    means: dict[str, float]


def by_history(users: pd.DataFrame, means: Mapping[str, pd.Series]) -> list[Stratum]:
    """Strata of about equal size by the length of the input. users: columns user, history, a row per target."""
    return _strata(users.groupby("user")["history"].first(), means)


def by_popularity(users: pd.DataFrame, means: Mapping[str, pd.Series]) -> list[Stratum]:
    """Strata of about equal size by how often training has the target; the mean where a user has several."""
    return _strata(users.groupby("user")["popularity"].mean(), means)


def groups(feature: pd.Series) -> Iterator[pd.Series]:
    """The users who have a value, in at most STRATA groups of about equal size, lowest first; equal values together."""
    known = feature.dropna()
    if known.empty:
        return
    edges = np.unique(np.quantile(known, np.linspace(0, 1, STRATA + 1)[1:-1], method="lower"))
    place = np.searchsorted(edges, known, side="left")
    for number in np.unique(place):
        yield known[place == number]  # pyright: ignore[reportReturnType]


def _strata(feature: Any, means: Mapping[str, pd.Series]) -> list[Stratum]:
    values = pd.DataFrame(dict(means))
    strata = []
    for own in groups(feature.reindex(values.index)):
        rows = values.loc[own.index].mean()
        strata.append(
            Stratum(float(own.min()), float(own.max()), len(own), {str(k): float(v) for k, v in rows.items()})
        )
    return strata
