"""Paired tests of the study's runs: python -m experiments.ce_vs_bpr.tests --help

Per section and encoder: BPR minus BCE at equal negatives, and the best BPR and the best BCE, chosen on validation,
minus cross-entropy. Over users (seeds averaged first) and over seeds; BPR minus BCE with one negative and BPR minus
cross-entropy also by strata of the length of a user's history and of the popularity of what came next. Holm's
correction: over users, within each section.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from experiments.ce_vs_bpr.results import Finished, finished
from recsys.report.leaderboard import compare
from recsys.report.per_user import mean_per_user
from recsys.report.significance import holm
from recsys.report.strata import groups
from recsys.runs.data import asked_users

METRIC = "ndcg@10"
BASELINE = (1, "uniform")  # negatives as the baseline has them
SECTIONS = ("ml100k", "ml1m", "beauty")


class Question(NamedTuple):
    """Is `one` better than `other`? strata: whether that is asked of parts of the users too."""

    one: Finished
    other: Finished
    strata: bool


def questions(cells: list[Finished]) -> Iterator[Question]:
    """Those that can be asked of the cells that are finished."""
    for encoder in dict.fromkeys(cell.facts["encoder"] for cell in cells):
        own = {loss: {} for loss in ("bpr", "bce", "ce")}
        for cell in cells:
            if cell.facts["encoder"] == encoder and cell.facts["loss"] in own:
                own[cell.facts["loss"]][drawn(cell)] = cell
        for negatives, bpr in own["bpr"].items():
            if bce := own["bce"].get(negatives):
                yield Question(bpr, bce, strata=negatives == BASELINE)
        for softmax in own["ce"].values():
            for sampled, strata in ((own["bpr"], True), (own["bce"], False)):
                if sampled:
                    yield Question(max(sampled.values(), key=lambda cell: cell.validation), softmax, strata=strata)


def drawn(cell: Finished) -> tuple[str | int | None, ...]:
    """Its number of negatives, and by what they are drawn."""
    return cell.facts["negatives"], cell.facts["sampler"]


def answer(question: Question) -> Iterator[dict[str, object]]:
    """A row for all users, then one for each stratum."""
    per_user, problems = mean_per_user([*question.one.runs, *question.other.runs], metric=METRIC)
    print(*problems, sep="\n", end="\n" if problems else "")
    one, other = per_user[question.one.name], per_user[question.other.name]
    facts = {"encoder": question.one.facts["encoder"], "one": question.one.name, "other": question.other.name}
    yield {**facts, "stratum": "all", **compared(one, other)}
    if question.strata:
        users = asked_users(question.one.runs[0])[0].facts.groupby("user")
        features = {"history": users["history"].first(), "popularity": users["popularity"].mean()}
        for name, feature in features.items():
            for part in groups(feature.reindex(one.index)):
                rows = compared(one.loc[part.index], other.loc[part.index])
                yield {**facts, "stratum": f"{name} {part.min():g} to {part.max():g}", **rows}


def compared(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """Over users and over the seeds that both have."""
    users, seeds = compare(one, other)
    over_users = users._asdict()
    row = {"users": over_users.pop("n"), "mean_one": one.to_numpy().mean(), "mean_other": other.to_numpy().mean()}
    row |= over_users
    if seeds is not None:
        row |= {"seeds": seeds.n, "seeds_low": seeds.low, "seeds_high": seeds.high, "seeds_t_test": seeds.t_test}
    return row


def report(root: Path) -> pd.DataFrame:
    """All questions of all sections."""
    tables = []
    for section in SECTIONS:
        rows = [row for question in questions(list(finished(root / section))) for row in answer(question)]
        if rows:
            table = pd.DataFrame(rows)
            table.insert(0, "section", section)
            tables.append(table.assign(holm=holm(table["randomisation"].tolist())))
    return pd.concat(tables) if tables else pd.DataFrame()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("outputs/ce_vs_bpr"), help="where runs are kept")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="where tests.csv goes")
    options = parser.parse_args()
    try:
        table = report(options.root.resolve())
    except (FileNotFoundError, ValueError) as error:
        sys.exit(f"{error}; the strata are of the data that was trained on, where its run's config says it is")
    if table.empty:
        sys.exit(f"{options.root} has nothing to test yet")
    table.to_csv(options.out / "tests.csv", index=False)
    shown = ["section", "one", "other", "stratum", "users", "mean", "low", "high", "effect", "holm"]
    print(table[shown].round(4).to_string(index=False))


if __name__ == "__main__":
    main()
