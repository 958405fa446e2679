"""What a protocol decides: which items are ranked against each other, and which of them are relevant."""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.metrics.functional import Ties, target_ranks


class Candidates(NamedTuple):
    """What is ranked for each user of a batch, C columns.

    scores: [B, C], -inf where an item is not ranked. targets: [B, T] columns of the relevant items, -1 at padding.
    items: [B, C] item ids, -1 at padding; None where column i is item i.
    """

    scores: Tensor
    targets: Tensor
    items: Tensor | None = None

    def num_candidates(self) -> Tensor:
        """Items ranked for each user, [B]."""
        return (self.scores > -torch.inf).sum(1)

    def top(self, k: int) -> tuple[Tensor, Tensor]:
        """The k best items of each user, best first, and their scores: [B, K] each, K = min(k, C).

        Items are -1, scores -inf where fewer are ranked.
        """
        scores, columns = self.scores.topk(min(k, self.scores.shape[1]), dim=1)
        items = columns if self.items is None else self.items.gather(1, columns)
        return items.masked_fill(scores == -torch.inf, -1), scores

    def target_items(self) -> Tensor:
        """The relevant items, [B, T] item ids, -1 at padding."""
        if self.items is None:
            return self.targets
        return self.items.gather(1, self.targets.clamp(min=0)).where(self.targets >= 0, -1)

    def num_relevant(self) -> Tensor:
        """Relevant items of each user, [B]."""
        return (self.targets >= 0).sum(1)


class RankingProtocol:
    """Turns the scores of the whole catalogue into candidates, and those into ranks of the targets.

    ties: how equal scores are ranked, see `Ties`.
    has_own_targets: whether what is relevant is said by the protocol, alike for validation and test, not by the split.
    """

    has_own_targets: ClassVar[bool] = False

    def __init__(self, *, ties: Ties = Ties.AVERAGE) -> None:
        self.ties = ties

    def prepare(self, catalogue: Catalogue) -> None:
        """Learns what it needs of the data; called once before the first batch is ranked."""

    def describe(self) -> str:
        """The protocol in one line, stored with every result."""
        raise NotImplementedError

    def candidates(self, scores: Tensor, batch: EvalBatch) -> Candidates:
        """What is ranked, from scores [B, V], which may be overwritten."""
        raise NotImplementedError

    def rank(self, candidates: Candidates) -> Tensor:
        """Ranks [B, T] of the targets among the candidates."""
        return target_ranks(candidates.scores, candidates.targets, ties=self.ties)
