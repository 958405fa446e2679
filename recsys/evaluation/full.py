"""Full ranking: every item of the catalogue is a candidate. What differs is what becomes of seen items."""

import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.evaluation.protocol import Candidates, RankingProtocol
from recsys.metrics.functional import Ties


class FullRanking(RankingProtocol):
    """Every item of the catalogue is ranked.

    remove_seen: items of the user's input history (all of it, however long) score -inf and are never ranked.
    ties: how equal scores are ranked, see `Ties`.
    """

    def __init__(self, *, remove_seen: bool = True, ties: Ties = Ties.AVERAGE) -> None:
        super().__init__(ties=ties)
        self.remove_seen = remove_seen

    def describe(self) -> str:
        seen = "seen items removed" if self.remove_seen else "seen items kept"
        return f"full catalogue, {seen}, ties {self.ties.name.lower()}"

    def candidates(self, scores: Tensor, batch: EvalBatch) -> Candidates:
        if self.remove_seen:
            scores[batch.seen_rows, batch.seen_items] = -torch.inf
        return Candidates(scores, batch.targets)


class TruncatedSeenRemoved(RankingProtocol):
    """Full ranking without the items that the model has read: the last `max_length` of the history, not the rest."""

    def describe(self) -> str:
        return f"full catalogue, seen items of the truncated history removed, ties {self.ties.name.lower()}"

    def candidates(self, scores: Tensor, batch: EvalBatch) -> Candidates:
        row, column = (batch.items < scores.shape[1]).nonzero(as_tuple=True)  # neither pad nor mask
        scores[row, batch.items[row, column]] = -torch.inf
        return Candidates(scores, batch.targets)


class SeenScoredZero(RankingProtocol):
    """Full ranking where seen items score 0 instead of leaving the list, as S3-Rec's code was released.

    Where the scores of unseen items are negative, seen ones fill the top of the list: for published figures alone.
    Differs from that code, which ranks the rows of padding and mask among the items: no model scores them here, so a
    target may stand up to two places higher than there.
    """

    def describe(self) -> str:
        return f"full catalogue, seen items scored 0 (as S3-Rec released), ties {self.ties.name.lower()}"

    def candidates(self, scores: Tensor, batch: EvalBatch) -> Candidates:
        scores[batch.seen_rows, batch.seen_items] = 0
        return Candidates(scores, batch.targets)
