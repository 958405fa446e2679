"""Seconds to rank 6,040 users over 3,416 items, every metric and cutoff together: evaluation_speed.py --help

Scores are random and made beforehand, histories and popularity those of a long-tailed catalogue: what is timed is the
evaluator alone. Wall and processor seconds are medians of the repetitions; on a busy machine the first says nothing.
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
import torch

from recsys.data.attributes import ItemAttributes
from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators import Evaluation
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet
from recsys.evaluation import (
    FullRanking,
    PopularityNegatives,
    RankingProtocol,
    SampledRanking,
    UniformNegatives,
    evaluate,
)
from recsys.metrics.lists import (
    AUC,
    AveragePopularity,
    CappedRecall,
    Concentration,
    Diversity,
    Novelty,
    Serendipity,
)
from recsys.metrics.ranking import RankingMetrics
from recsys.metrics.strata import HistoryStrata, ItemStrata, WarmthStrata

CUTOFFS = (1, 5, 10, 20)


def clocks() -> np.ndarray:
    """Wall and processor seconds, of all threads."""
    return np.array([time.perf_counter(), time.process_time()])


class Prepared:
    """A scorer whose scores are there already; the copy that the evaluator may overwrite is not timed."""

    def __init__(self, scores: torch.Tensor) -> None:
        self.scores = scores
        self.spent = np.zeros(2)

    def score_batch(self, batch: EvalBatch) -> torch.Tensor:
        started = clocks()
        scores = self.scores[batch.users]
        self.spent += clocks() - started
        return scores


def catalogue_of(num_users: int, num_items: int, *, seed: int = 0) -> Catalogue:
    """Users with 20 to 500 distinct items, drawn by a long-tailed popularity, of 18 genres; the last is held out."""
    random = np.random.default_rng(seed)
    weights = 1 / np.arange(1, num_items + 1) ** 0.8
    shares = weights / weights.sum()
    lengths = np.clip(random.lognormal(4.5, 1, num_users).astype(int), 20, 500)
    rows = [random.choice(num_items, length, replace=False, p=shares).tolist() for length in lengths]
    whole = Ragged.from_rows(rows)
    genres = Ragged.from_rows([random.choice(18, random.integers(1, 5), replace=False) for _ in range(num_items)])
    kind = ItemAttributes(name="genre", rows=genres, vocabulary=Vocabulary(np.arange(18)))
    return Catalogue(num_items=num_items, train=whole.trim(tail=1), whole=whole, attributes=[kind])


def batches(catalogue: Catalogue, *, batch_size: int) -> Iterator[EvalBatch]:
    users = np.arange(catalogue.num_users)
    questions = EvalSet(users, catalogue.whole.trim(tail=1), catalogue.whole.last(1))
    make = Evaluation(questions, num_items=catalogue.num_items, max_length=200)
    for start in range(0, len(users), batch_size):
        yield make(users[start : start + batch_size])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=6040)
    parser.add_argument("--items", type=int, default=3416)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    catalogue = catalogue_of(options.users, options.items)
    scores = torch.randn(options.users, options.items, generator=torch.Generator().manual_seed(0))
    asked = list(batches(catalogue, batch_size=options.batch_size))
    at_ten = (CappedRecall, Concentration, Diversity, Novelty, AveragePopularity, Serendipity, WarmthStrata)
    lists = [
        AUC(catalogue),
        *(make(catalogue, cutoffs=[10]) for make in at_ten),
        ItemStrata(catalogue, num_strata=3, cutoffs=[10]),
        HistoryStrata(catalogue, edges=[20, 50, 100], cutoffs=[10]),
    ]
    protocols: dict[str, RankingProtocol] = {
        "full ranking": FullRanking(),
        "full ranking, list metrics and strata too": FullRanking(),
        "100 uniform negatives, drawn beforehand": SampledRanking(negatives=UniformNegatives()),
        "100 negatives by popularity, drawn beforehand": SampledRanking(negatives=PopularityNegatives()),
    }
    print(f"{options.users:,} users, {options.items:,} items, {options.threads} threads, cutoffs {CUTOFFS}")
    for number, (name, protocol) in enumerate(protocols.items()):
        protocol.prepare(catalogue)
        metrics, seconds = RankingMetrics(cutoffs=CUTOFFS), []
        for _ in range(options.repetitions):
            scorer, started = Prepared(scores), clocks()
            evaluate(scorer, asked, protocol=protocol, metrics=metrics, lists=lists if number == 1 else [])
            seconds.append(clocks() - started - scorer.spent)
        wall, cpu = np.median(seconds, axis=0)
        print(f"{wall:6.2f} s wall  {cpu:6.2f} s cpu  {name}", flush=True)


if __name__ == "__main__":
    main()
