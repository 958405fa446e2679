"""Whether a protocol decides which model is better: one set of checkpoints under several, by `recsys evaluate`."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys.report.errors import agreement
from recsys.report.evaluations import FILE, per_user_file, read_evaluations
from recsys.report.per_user import SPREAD
from recsys.report.runs import Run
from recsys.report.significance import FLIPS, randomisation_test

OWN = "as trained"  # the protocol of the runs themselves, where no option evaluated later is the same
LEVEL = 0.05


class Protocol(NamedTuple):
    """name: the option of `eval`. description: what run.json or evaluations.json says it is.

    means: model -> the metric of every user by user, averaged over seeds.
    """

    name: str
    description: str
    means: dict[str, pd.Series]

    def scores(self) -> dict[str, float]:
        """Model -> mean over users."""
        return {model: float(values.mean()) for model, values in self.means.items()}


class Flip(NamedTuple):
    """Two models that change places: `leader` is better under the first protocol, `other` under the second.

    p_first, p_second: of the sign-flip test over users under each, Bonferroni-corrected for all pairs of models.
    """

    leader: str
    other: str
    p_first: float
    p_second: float

    @property
    def is_sure(self) -> bool:
        """Whether each protocol by itself would have called its own leader the better model."""
        return max(self.p_first, self.p_second) < LEVEL


class Orders(NamedTuple):
    """The order of models under two protocols. tau: Kendall's; num_pairs: of models, of which `flips` change places."""

    first: str
    second: str
    tau: float
    num_pairs: int
    flips: list[Flip]

    def sentence(self) -> str:
        """In plain words."""
        head = f"{self.first} and {self.second} order the models with Kendall's tau {self.tau:.2f}"
        if not self.flips:
            return f"{head}: no two change places."
        sure = sum(flip.is_sure for flip in self.flips)
        named = "; ".join(f"{flip.leader} / {flip.other}{' *' if flip.is_sure else ''}" for flip in self.flips)
        return (
            f"{head}: {len(self.flips)} of {self.num_pairs} pairs change places, {sure} of them (*) with a difference "
            f"that holds over users under both: {named}."
        )


def read_protocols(
    runs: Sequence[Run], own: Mapping[str, pd.Series], *, metric: str
) -> tuple[list[Protocol], list[str]]:
    """The runs' own protocol and every other that all of their models were evaluated under, and what is left out.

    runs: that may be compared. own: model -> the metric of each user under the runs' own protocol.
    """
    found: dict[str, dict[str, list[pd.Series]]] = {}
    descriptions: dict[str, set[str]] = {}
    problems, own_name = [], OWN
    runs = [run for run in runs if run.name in own]
    for run in runs:
        try:
            for option, facts in read_evaluations(run).items():
                if facts["protocol"] == run.fingerprints.get("protocol"):
                    own_name = option if own_name == OWN else min(own_name, option, key=len)  # `full`, not `full_lists`
                    continue
                values = _per_user(run, option, facts, metric=metric)
                if not values.index.isin(own[run.name].index).all():
                    raise ValueError(f"{run.path / per_user_file(option)} is of other users than the run")
                found.setdefault(option, {}).setdefault(run.name, []).append(values)
                descriptions.setdefault(option, set()).add(facts["protocol"])
        except ValueError as problem:
            problems.append(f"{problem}: no protocols of {run.name} are compared.")
    protocols = [Protocol(own_name, runs[0].fingerprints.get("protocol", ""), dict(own))] if runs else []
    for option, values in found.items():
        count = sum(map(len, values.values()))
        if len(descriptions[option]) > 1:
            problems.append(f"{option} was not the same protocol for all runs: its results are not compared.")
        elif count < len(runs):
            problems.append(
                f"{option} is known of {count} of {len(runs)} runs alone: evaluate the others to compare it."
            )
        else:
            means = {name: pd.concat(series, axis=1).mean(axis=1) for name, series in values.items()}
            protocols.append(Protocol(option, descriptions[option].pop(), means))
    return protocols, problems


def compare_orders(protocols: Sequence[Protocol]) -> list[Orders]:
    """For every two protocols; none where they have fewer than two models, or one finds all alike."""
    return [orders for one, other in combinations(protocols, 2) if (orders := _orders(one, other)) is not None]


def _orders(one: Protocol, other: Protocol) -> Orders | None:
    found = agreement(one.scores(), other.scores())
    if found is None:
        return None
    num_pairs = len(other.means) * (len(other.means) - 1) // 2
    flips = [
        Flip(leader, follower, *(_p(each, leader, follower, num_pairs) for each in (one, other)))
        for leader, follower in found.swapped
    ]
    return Orders(one.name, other.name, found.tau, num_pairs, flips)


def _p(protocol: Protocol, one: str, other: str, num_pairs: int) -> float:
    differences: Any = (protocol.means[one] - protocol.means[other]).dropna()
    p = randomisation_test(differences.to_numpy(), resamples=FLIPS, rng=np.random.default_rng(0))
    return min(1.0, p * num_pairs)


def _per_user(run: Run, option: str, facts: Mapping[str, Any], *, metric: str) -> pd.Series:
    """The metric by user. ValueError where the file beside evaluations.json lacks it or is of another evaluation."""
    label = facts["label"]
    file, column = run.path / per_user_file(option), f"{label}/{metric}" if label else metric
    try:
        frame = pd.read_parquet(file, columns=["user", column])
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{file}, which {FILE} speaks of, can't be read ({reason})") from error
    values = pd.Series(frame[column].to_numpy(np.float64), index=frame["user"].to_numpy())
    if not values.index.is_unique or values.isna().any():
        raise ValueError(f"{file} has users twice, or values of {metric} that are missing")
    said = facts["metrics"].get(f"test/{column}")
    if said is None or abs(values.mean() - said) > SPREAD:
        raise ValueError(f"{file} has a mean {column} of {values.mean():.4f}, {FILE} says {said}: evaluate it again")
    return values
