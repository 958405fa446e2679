"""The whole catalogue as candidates."""

from torch import Tensor

from recsys.candidates.base import Candidates, CandidateSampler
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue


class FullCatalogue(CandidateSampler):
    """Every item of the catalogue: no sampling, no bias."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.num_items = catalogue.num_items

    def forward(self, positives: Tensor, batch: TrainBatch) -> Candidates:
        return Candidates(items=None, target=positives, num_items=self.num_items)
