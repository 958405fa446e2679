"""The contract of a model that is solved for."""

from torch import Tensor, nn

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue


class ClosedFormModel(nn.Module):
    """Fitted to the training rows in one go; what it learned is kept in buffers, so a checkpoint holds it."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.catalogue = catalogue

    def fit(self) -> None:
        """Learns from `catalogue.train`, and from nothing else."""
        raise NotImplementedError

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """Scores of the whole catalogue for each user, [B, V]; a tensor the caller may overwrite."""
        raise NotImplementedError
