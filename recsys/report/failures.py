"""The users whom a model fails: what they had, what the model showed them, what they wanted."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from recsys.report.asked import Asked
from recsys.report.errors import worst_users
from recsys.report.leaderboard import Block
from recsys.report.runs import Run
from recsys.report.top_lists import read_top

SHOWN = 10  # items of a list


def failures(
    block: Block, runs: Sequence[Run], asked: Asked | None
) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Model -> a dictionary for each user it fails, and a sentence for each model whose lists can't be had.

    Of a user: user, metric, others, behind; where the data is at hand history, recent, wanted and, of the model's first
    seed, top: a (name, whether it is wanted) per place.
    """
    first: dict[str, Run] = {}
    for run in sorted(runs, key=lambda run: run.seed):
        first.setdefault(run.name, run)
    found, problems = {}, []
    for name in block.means:
        worst = worst_users(name, block.means)
        rows = [{str(key): value for key, value in row.items()} for row in worst.to_dict("records")]
        if asked is not None and rows:
            lists, problem = _lists(first[name], worst["user"].to_list())
            problems += problem
            facts: Any = asked.facts[asked.facts["user"].isin(worst["user"])]
            rows = [row | _seen_shown_wanted(row["user"], facts, lists, asked) for row in rows]
        found[name] = rows
    return found, problems


def _lists(run: Run, users: list[Any]) -> tuple[dict[Any, list[Any]], list[str]]:
    try:
        return read_top(run, users), []
    except ValueError as problem:
        return {}, [str(problem)]


def _seen_shown_wanted(
    user: Any, facts: pd.DataFrame, lists: Mapping[Any, Sequence[Any]], asked: Asked
) -> dict[str, Any]:
    mine: Any = facts[facts["user"] == user]
    own: list[dict[str, Any]] = mine.to_dict("records")
    if not own:
        return {}
    wanted = {str(row["item"]) for row in own}
    return {
        "history": own[0]["history"],
        "recent": list(own[0]["recent"]),
        "popularity": own[0]["popularity"],
        "wanted": [asked.name(row["item"]) for row in own[:SHOWN]],
        "top": [(asked.name(item), str(item) in wanted) for item in lists.get(user, [])[:SHOWN]],
    }
