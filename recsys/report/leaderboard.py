"""Which model is best on one data set under one setting, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys.report.protocols import Orders, Protocol
from recsys.report.significance import Comparison, compare_paired, holm

PAIR_RESAMPLES = 2000  # of the bootstrap: enough for an interval's second digit, and there are hundreds of pairs
ALIKE = 1e-9  # spread over seeds of a model that no seed changes
EMPTY: Mapping[str, "Versus"] = MappingProxyType({})
LEVELS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


class Versus(NamedTuple):
    """A model against another: over users (seeds averaged first), over seeds (None below two), Holm's p over users."""

    other: str
    users: Comparison
    seeds: Comparison | None
    holm: float

    def mirrored(self, other: str) -> "Versus":
        """The same as the other one sees it, against whom it stands then."""
        return Versus(other, self.users.mirrored(), self.seeds and self.seeds.mirrored(), self.holm)

    @property
    def mark(self) -> str:
        """Stars: the level at which they differ; empty where they don't."""
        return next((stars for level, stars in LEVELS if self.holm < level), "")


@dataclass(frozen=True, kw_only=True)
class Block:
    """Results that may be compared: one data set under one setting.

    heading: data set and, where there are several settings, what tells them apart, in words as far as runs have them.
    table: rows of `aggregate`, best first. per_user: model -> users by seeds, of the models that have them.
    versus: model -> its test against the reference; absent where there are no values per user.
    protocols: the models under the runs' own protocol and others; none where no other is known of all of them.
    orders: whether these order the models alike.
    """

    data: str
    setting: str
    heading: str
    metric: str
    table: pd.DataFrame
    per_user: Mapping[str, pd.DataFrame]
    versus: Mapping[str, Versus]
    protocols: Sequence[Protocol] = ()
    orders: Sequence[Orders] = ()

    @property
    def names(self) -> list[str]:
        """Models, best first."""
        return self.table["name"].to_list()

    @property
    def means(self) -> dict[str, pd.Series]:
        """Model -> each user's mean over seeds, best model first."""
        return {name: self.per_user[name].mean(axis=1) for name in self.names if name in self.per_user}


def against_reference(
    names: Sequence[str], per_user: Mapping[str, pd.DataFrame], *, baseline: str | None
) -> dict[str, Versus]:
    """Each model against the baseline or, without one, against the best other: the winner against the runner-up.

    names: models, best first. Each pair of models is compared once, and both of its sides show that. Empty where what
    the others would be tested against has no values per user. p-values are of the randomisation test over users, as
    they are: see `corrected`.
    """
    tested = [name for name in names if name in per_user]
    leader = baseline or names[0]
    if len(tested) < 2 or leader not in tested:
        return {}
    found: dict[str, Versus] = {}
    for name in (name for name in tested if name != leader):
        first, second = sorted((leader, name), key=tested.index)
        users, seeds = compare(per_user[first], per_user[second])
        versus = Versus(second, users, seeds, users.randomisation)
        found[name] = versus if name == first else versus.mirrored(first)
    if baseline is None:
        found = {leader: found[tested[1]].mirrored(tested[1]), **found}
    return found


def corrected(tables: Sequence[Mapping[str, Versus]]) -> list[dict[str, Versus]]:
    """Holm's correction over all tests of several blocks together; each pair of models of a block counts once."""
    pairs = {
        (number, *sorted((name, versus.other))): versus.users.randomisation
        for number, table in enumerate(tables)
        for name, versus in table.items()
    }
    values = dict(zip(pairs, holm(list(pairs.values())), strict=True))
    return [
        {name: versus._replace(holm=values[(number, *sorted((name, versus.other)))]) for name, versus in table.items()}
        for number, table in enumerate(tables)
    ]


def compare(one: pd.DataFrame, other: pd.DataFrame) -> tuple[Comparison, Comparison | None]:
    """Users by seeds of two models: over users, the mean over seeds taken first, and over the seeds both have.

    None over seeds where there are fewer than two, or where both models come out alike whatever the seed: repeating a
    solved model is no evidence, and t would be infinite.
    """
    users = compare_paired(one.mean(axis=1), than=other.mean(axis=1))
    shared = [seed for seed in one if seed in other]
    first, second = one[shared].mean().to_numpy(), other[shared].mean().to_numpy()
    if len(shared) < 2 or max(np.ptp(first), np.ptp(second)) < ALIKE:
        return users, None
    return users, compare_paired(first, than=second)


def every_pair(
    means: Mapping[str, pd.Series], versus: Mapping[str, Versus] = EMPTY
) -> dict[tuple[str, str], tuple[Comparison, float]]:
    """(model, worse model) -> their comparison over users and Holm's p over all of these pairs.

    means: the best model first. versus: what has been compared already.
    """
    names = list(means)
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]
    known = {(name, each.other): each.users for name, each in versus.items()}
    known |= {(each.other, name): each.users.mirrored() for name, each in versus.items()}
    compared = [
        known.get((one, other)) or compare_paired(means[one], than=means[other], resamples=PAIR_RESAMPLES)
        for one, other in pairs
    ]
    corrected = holm([comparison.randomisation for comparison in compared])
    return dict(zip(pairs, zip(compared, corrected, strict=True), strict=True))


def histogram(differences: np.ndarray, *, top: float, bins: int = 10) -> list[int]:
    """Counts of negative differences in `bins` equal bins from -top, of exact ties, and of positive ones up to top."""
    edges = np.linspace(0, top, bins + 1)
    worse, _ = np.histogram(-differences[differences < 0], bins=edges)
    better, _ = np.histogram(differences[differences > 0], bins=edges)
    return [*worse[::-1].tolist(), int((differences == 0).sum()), *better.tolist()]
