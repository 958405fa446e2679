"""What goes wrong, and for whom: items nobody finds, users one model fails alone, orders that turn around."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats


class Agreement(NamedTuple):
    """Kendall's tau-b between the order of models on validation and on test.

    swapped: pairs of models (better on validation, better on test) whose order turns around.
    """

    tau: float
    swapped: list[tuple[str, str]]


def agreement(validation: Mapping[str, float], test: Mapping[str, float]) -> Agreement | None:
    """Of the models in both; None where there are fewer than two, or all score alike."""
    names = [name for name in test if name in validation]
    if len(names) < 2:
        return None
    result: Any = stats.kendalltau([validation[name] for name in names], [test[name] for name in names])
    if np.isnan(result.statistic):
        return None
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    turned = [
        (one, other) if validation[one] > validation[other] else (other, one)
        for one, other in pairs
        if (validation[one] - validation[other]) * (test[one] - test[other]) < 0
    ]
    return Agreement(float(result.statistic), turned)


def missed_by_all(means: Mapping[str, pd.Series]) -> pd.Series:
    """User -> whether every model, with every seed, scores 0."""
    return (pd.DataFrame(dict(means)) == 0).all(axis=1)


def missed_items(users: pd.DataFrame, means: Mapping[str, pd.Series], *, most: int = 15) -> pd.DataFrame:
    """Items that no model finds for any user who chose them next, those asked for most often first.

    users: a row per (user, item), columns user, item, popularity, about; users with several targets are left out, as
    their metric doesn't say which one was missed. Columns: item, asked (users), popularity, about.
    """
    single: Any = users[~users["user"].duplicated(keep=False)]
    missed = single["user"].map(missed_by_all(means))
    single = single[missed.notna()].assign(missed=missed.dropna().astype(bool))
    groups = single.groupby("item", sort=False)
    table = groups.agg(
        asked=("user", "size"), popularity=("popularity", "first"), about=("about", "first"), missed=("missed", "all")
    )
    found = table[table["missed"]].drop(columns="missed")
    return found.sort_values(["asked", "popularity"], ascending=False, kind="stable").head(most).reset_index()


def worst_users(name: str, means: Mapping[str, pd.Series], *, most: int = 8) -> pd.DataFrame:
    """Users for whom the model falls furthest below the mean of the other models, worst first.

    To score 0 is common and says little; to score 0 where the others do well is the model's own fault. Columns: user,
    metric, others, behind; empty where there is no other model.
    """
    others = pd.DataFrame({other: values for other, values in means.items() if other != name})
    if others.empty:
        return pd.DataFrame(columns=["user", "metric", "others", "behind"])
    table = pd.DataFrame({"metric": means[name], "others": others.mean(axis=1)})
    table["behind"] = table["others"] - table["metric"]
    worst = table.sort_values("behind", ascending=False, kind="stable").head(most)
    return worst[worst["behind"] > 0].rename_axis("user").reset_index()
