"""Sampled ranking: the targets against a few negatives of each user."""

import numpy as np
import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.evaluation.negatives import NegativeRows, NegativeSource
from recsys.evaluation.protocol import Candidates, RankingProtocol
from recsys.metrics.functional import Ties


class SampledRanking(RankingProtocol):
    """A user's targets are ranked among the user's negatives, which all models and epochs share unless they are fresh.

    Sampled metrics are not those of the full ranking and may order models otherwise (Krichene and Rendle, KDD 2020):
    give them a name of their own (`eval.metrics.label`). A negative that is one of the targets does not count twice.

    negatives: where they come from. ties: see `Ties`.
    """

    def __init__(self, *, negatives: NegativeSource, ties: Ties = Ties.AVERAGE) -> None:
        super().__init__(ties=ties)
        self.source = negatives
        self.rows: NegativeRows | None = None

    def prepare(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.rows = self.source.negatives(catalogue)

    def describe(self) -> str:
        return f"{self.source.describe()}, ties {self.ties.name.lower()}"

    def candidates(self, scores: Tensor, batch: EvalBatch) -> Candidates:
        """The columns are the targets, then the negatives. ValueError naming a user without negatives."""
        if self.rows is None:
            raise RuntimeError("SampledRanking.prepare must be called before the first batch")
        rows = self.rows.take(batch.users.cpu().numpy())
        if rows.lengths.min(initial=1) == 0:
            user = int(batch.users[int(np.argmin(rows.lengths))])
            raise ValueError(
                f"user {self.catalogue.user_name(user)} has no negatives in: {self.source.describe()}; give some"
            )
        negatives = torch.from_numpy(rows.padded(int(rows.lengths.max()), -1)).to(scores.device)  # [B, N]
        is_target = (negatives[:, :, None] == batch.targets[:, None, :]).any(2)  # [B, N]
        negatives = negatives.masked_fill(is_target, -1)
        return gathered(scores, torch.cat([batch.targets, negatives], dim=1), num_targets=batch.targets.shape[1])


def gathered(scores: Tensor, items: Tensor, *, num_targets: int) -> Candidates:
    """Candidates of scores [B, V]: items [B, C], -1 at padding, the first `num_targets` columns the targets."""
    chosen = scores.gather(1, items.clamp(min=0)).masked_fill(items < 0, -torch.inf)
    columns = torch.arange(num_targets, device=items.device).where(items[:, :num_targets] >= 0, -1)
    return Candidates(chosen, columns, items)
