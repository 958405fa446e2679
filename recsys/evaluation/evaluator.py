"""One evaluator for everything that can score: neural, closed-form, an ensemble."""

from collections.abc import Iterable, Mapping
from math import isnan
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.evaluation.protocol import RankingProtocol
from recsys.metrics.ranked import ListMetric, Ranked
from recsys.metrics.ranking import RankingMetrics

HELD = 2**20  # ranks that are kept until metrics are made of them, padding included


class Scorer(Protocol):
    """Anything that gives each user of a batch a score for each item."""

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """-> [B, V] scores, higher is better; a tensor the evaluator may overwrite."""
        ...


class Evaluation(NamedTuple):
    """What a model scored.

    summary: metric -> mean over users. per_user: one row per user, `user` and the metrics. top: a row per user and
    place: `user`, `item`, `rank` (from 1), `score`; empty where no lists were kept.
    """

    summary: dict[str, float]
    per_user: pd.DataFrame
    top: pd.DataFrame


class Evaluator:
    """Collects the metrics of one protocol, batch by batch.

    lists: metrics that need more than ranks; each is reset first. Their means are over the users for whom they are
    defined.
    keep: how many of each user's best items are handed back too.
    """

    def __init__(
        self,
        *,
        protocol: RankingProtocol,
        metrics: RankingMetrics,
        lists: Iterable[ListMetric] = (),
        keep: int = 0,
    ) -> None:
        self.protocol = protocol
        self.metrics = metrics
        self.lists = tuple(lists)
        self.keep = keep
        self.depth = max((metric.depth for metric in self.lists), default=0)
        self.ranked: list[_RankedUsers] = []
        self.parts: list[pd.DataFrame] = []
        self.tops: list[pd.DataFrame] = []
        for metric in self.lists:
            metric.reset()

    def add(self, scores: Tensor, batch: EvalBatch) -> None:
        """Ranks the targets of a batch by scores [B, V], which may be overwritten."""
        candidates = self.protocol.candidates(scores, batch)
        ranks = self.protocol.rank(candidates)
        num_relevant, columns = candidates.num_relevant(), {}
        if self.lists:
            ranked = Ranked(
                ranks=ranks,
                num_relevant=num_relevant,
                num_candidates=candidates.num_candidates(),
                targets=candidates.target_items(),
                top=candidates.top(self.depth)[0],
                history=batch.seen_rows.bincount(minlength=len(batch.users)),
                users=batch.users,
            )
            for metric in self.lists:
                columns |= metric.add(ranked)
        self._hold(_RankedUsers(batch.users, ranks, num_relevant, columns))
        if self.keep:
            self.tops.append(_top_frame(batch.users.cpu().numpy(), *candidates.top(self.keep)))

    def result(self) -> Evaluation:
        """Means over users, and every user in index order. ValueError where there was none."""
        self._measure()
        if not self.parts:
            raise ValueError("there is no user to evaluate; the split gave an empty evaluation set")
        table = pd.concat(self.parts).sort_index().rename_axis("user").reset_index()
        summary = table[self.metrics.names].mean().to_dict()
        for metric in self.lists:
            means = {name: float(value) for name, value in metric.compute().items()}
            summary |= {name: mean for name, mean in means.items() if not isnan(mean)}  # a stratum that nobody is in
        return Evaluation(summary, table, _joined(self.tops))

    def _hold(self, users: "_RankedUsers") -> None:
        """Keeps them until there are many: the metrics of a batch alone are as many operations, only small ones."""
        held = [*self.ranked, users]
        if sum(len(part.users) for part in held) * max(part.ranks.shape[1] for part in held) > HELD:
            self._measure()
        self.ranked.append(users)

    def _measure(self) -> None:
        """The metrics of those that are kept."""
        if not self.ranked:
            return
        widest = max(part.ranks.shape[1] for part in self.ranked)
        ranks = [F.pad(part.ranks, (0, widest - part.ranks.shape[1]), value=torch.inf) for part in self.ranked]
        columns = self.metrics.per_user(torch.cat(ranks), torch.cat([part.num_relevant for part in self.ranked]))
        columns |= {name: torch.cat([part.others[name] for part in self.ranked]) for name in self.ranked[0].others}
        table = torch.stack([value.double() for value in columns.values()], dim=1).cpu().numpy()  # one copy, not dozens
        users = torch.cat([part.users for part in self.ranked]).cpu().numpy()
        self.parts.append(pd.DataFrame(table, columns=list(columns), index=users))
        self.ranked.clear()


class _RankedUsers(NamedTuple):
    """Users [B] whose targets were ranked: ranks [B, T], num_relevant [B], and what else is known of each, [B] each."""

    users: Tensor
    ranks: Tensor
    num_relevant: Tensor
    others: dict[str, Tensor]


def _top_frame(users: np.ndarray, items: Tensor, scores: Tensor) -> pd.DataFrame:
    """items, scores [B, K] -> a row per user and place."""
    row, place = (index.numpy() for index in (items.cpu() >= 0).nonzero(as_tuple=True))
    shown, values = items.cpu().numpy()[row, place], scores.double().cpu().numpy()[row, place]
    return pd.DataFrame({"user": users[row], "item": shown, "rank": 1 + place, "score": values})


def _joined(tops: list[pd.DataFrame]) -> pd.DataFrame:
    """In order of users and places."""
    if not tops:
        return pd.DataFrame(columns=["user", "item", "rank", "score"])
    return pd.concat(tops).sort_values(["user", "rank"], ignore_index=True)


def evaluate(
    scorer: Scorer,
    batches: Iterable[EvalBatch],
    *,
    protocol: RankingProtocol,
    metrics: RankingMetrics,
    lists: Iterable[ListMetric] = (),
    keep: int = 0,
) -> Evaluation:
    """Ranks the targets of every batch and averages the metrics over users; users come back in index order."""
    evaluator = Evaluator(protocol=protocol, metrics=metrics, lists=lists, keep=keep)
    return evaluate_all(scorer, batches, {"": evaluator})[""]


@torch.inference_mode()
def evaluate_all(
    scorer: Scorer, batches: Iterable[EvalBatch], evaluators: Mapping[str, Evaluator]
) -> dict[str, Evaluation]:
    """Under several protocols at once: every batch is scored once, whatever their number."""
    for batch in batches:
        scores = scorer.score_batch(batch)
        last = len(evaluators) - 1
        for place, evaluator in enumerate(evaluators.values()):
            evaluator.add(scores if place == last else scores.clone(), batch)  # a protocol overwrites what it is given
    return {name: evaluator.result() for name, evaluator in evaluators.items()}
