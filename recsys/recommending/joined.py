"""Several models' best unseen items joined into one score per item, batch by batch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recsys.data.batches import EvalBatch, last_columns
from recsys.evaluation import Scorer
from recsys.evaluation.fusion import Ensemble, Points, TopLists
from recsys.evaluation.top_items import unseen_scores


class Member(NamedTuple):
    """scorer: a model. max_length: the last items of a history that it reads. weight: above 0."""

    scorer: Scorer
    max_length: int
    weight: float


class Joined:
    """Scores as `Ensemble` does, from lists made on the spot; an item in no member's list has -inf.

    points: what a place in a list is worth. depth: length of the members' lists. num_items: V.
    """

    def __init__(self, members: Sequence[Member], *, points: Points, depth: int, num_items: int) -> None:
        self.members = tuple(members)
        self.points = points
        self.depth = min(depth, num_items)
        self.num_items = num_items

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """-> [B, V] float64. ValueError where a member's score is not a number."""
        rows = torch.arange(len(batch.users))
        lists = [self._lists(member, batch) for member in self.members]
        weights = [member.weight for member in self.members]
        ensemble = Ensemble(lists, points=self.points, weights=weights, num_items=self.num_items)
        scores = ensemble.score_batch(batch._replace(users=rows))
        is_listed = torch.zeros(len(rows), self.num_items + 1, dtype=torch.bool)  # the last column: of no item
        for top in lists:
            is_listed.scatter_(1, torch.from_numpy(top.items).remainder(self.num_items + 1), True)
        return scores.masked_fill(~is_listed[:, :-1].to(scores.device), -torch.inf)

    def _lists(self, member: Member, batch: EvalBatch) -> TopLists:
        """The member's best unseen items of each row."""
        asked = shortened(batch, member.max_length, pad=self.num_items)
        scores = unseen_scores(member.scorer, asked, who="a member")  # [B, V]
        best, items = scores.topk(self.depth, dim=1)
        absent = best == -torch.inf
        items, best = items.masked_fill(absent, -1), best.double().masked_fill(absent, 0)
        return TopLists(np.arange(len(items)), items.cpu().numpy(), best.cpu().numpy())


def shortened(batch: EvalBatch, max_length: int, *, pad: int) -> EvalBatch:
    """The batch with the last `max_length` items of each row."""
    if batch.items.shape[1] <= max_length:
        return batch
    columns = last_columns((batch.items != pad).sum(1), max_length)  # [B, max_length]
    times = None if batch.timestamps is None else batch.timestamps.gather(1, columns)
    return batch._replace(items=batch.items.gather(1, columns), timestamps=times)
