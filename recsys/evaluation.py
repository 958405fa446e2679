"""One evaluator for everything that can score: neural, closed-form, an ensemble."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import pandas as pd
import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.metrics.functional import Ties, target_ranks
from recsys.metrics.ranking import RankingMetrics


class Scorer(Protocol):
    """Anything that gives each user of a batch a score for each item."""

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """-> [B, V] scores, higher is better; a tensor the evaluator may overwrite."""
        ...


class FullRanking:
    """Every item of the catalogue is ranked.

    remove_seen: items of the user's input history (all of it, however long) score -inf and are never ranked.
    ties: how equal scores are ranked, see `Ties`.
    """

    def __init__(self, *, remove_seen: bool = True, ties: Ties = Ties.AVERAGE) -> None:
        self.remove_seen = remove_seen
        self.ties = ties

    def describe(self) -> str:
        """The protocol in one line, stored with every result."""
        seen = "seen items removed" if self.remove_seen else "seen items kept"
        return f"full catalogue, {seen}, ties {self.ties.name.lower()}"

    def ranks(self, scores: Tensor, batch: EvalBatch) -> Tensor:
        """Ranks [B, T] of the targets among scores [B, V], which are overwritten."""
        if self.remove_seen:
            scores[batch.seen_rows, batch.seen_items] = -float("inf")
        return target_ranks(scores, batch.targets, ties=self.ties)


class Evaluation(NamedTuple):
    """What a model scored. summary: metric -> mean over users. per_user: one row per user, `user` and the metrics."""

    summary: dict[str, float]
    per_user: pd.DataFrame


@torch.inference_mode()
def evaluate(
    scorer: Scorer, batches: Iterable[EvalBatch], *, protocol: FullRanking, metrics: RankingMetrics
) -> Evaluation:
    """Ranks the targets of every batch and averages the metrics over users; users come back in index order."""
    parts = []
    for batch in batches:
        ranks = protocol.ranks(scorer.score_batch(batch), batch)
        values = metrics.per_user(ranks, num_relevant(batch))
        parts.append(pd.DataFrame({"user": batch.users, **{name: value.cpu() for name, value in values.items()}}))
    if not parts:
        raise ValueError("there is no user to evaluate; the split gave an empty evaluation set")
    table = pd.concat(parts).sort_values("user", ignore_index=True)
    return Evaluation(table.drop(columns="user").mean().to_dict(), table)


def num_relevant(batch: EvalBatch) -> Tensor:
    """Number of targets of each user, [B]."""
    return (batch.targets >= 0).sum(1)
