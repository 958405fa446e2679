"""The batch's own positives as candidates."""

from collections.abc import Callable

import torch
from torch import Tensor

from recsys.candidates.base import Candidates, CandidateSampler
from recsys.candidates.exclusion import Exclusion, Nothing
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue


class InBatch(CandidateSampler):
    """Every distinct item that is the positive of some position of the batch; the others are a position's negatives.

    GRU4Rec's sampling (Hidasi et al., ICLR 2016): popular items are negatives more often. An item that is the positive
    of many positions is one candidate, not many, so that no negative equals the positive and the product against the
    candidates is as small as it can be.

    exclude: made from the catalogue; what it excludes for a position is removed there. log_q: whether logits are
    corrected by the log of the item's probability to be in the batch, 1 - (1 - p)^N with p its frequency in training
    (Yi et al., RecSys 2019).
    """

    log_absence: Tensor

    def __init__(
        self, catalogue: Catalogue, *, exclude: Callable[[Catalogue], Exclusion] = Nothing, log_q: bool = False
    ) -> None:
        super().__init__()
        self.num_items = catalogue.num_items
        self.exclude = exclude(catalogue)
        self.log_q = log_q
        counts = torch.from_numpy(catalogue.counts).double().clamp(min=1)  # [V]; what is a positive has been seen
        frequency = (counts / max(int(catalogue.counts.sum()), 1)).clamp(max=1 - 1e-9)
        self.register_buffer("log_absence", torch.log1p(-frequency).float(), persistent=False)

    def forward(self, positives: Tensor, batch: TrainBatch) -> Candidates:
        items, target = torch.unique(positives, return_inverse=True)  # [C], [N]
        excluded = self.exclude(positives, batch)
        removed = None
        if excluded is not None:
            removed = excluded.everywhere(items).scatter_(1, target[:, None], False)  # [N, C]
        log_q = torch.log(-torch.expm1(len(positives) * self.log_absence)) if self.log_q else None  # [V]
        return Candidates(items, target, num_items=self.num_items, log_q=log_q, removed=removed)
