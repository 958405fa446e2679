"""Training a model that brings its own objective."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.evaluation import RankingProtocol
from recsys.metrics.ranking import RankingMetrics
from recsys.tasks.optimization import AnySchedule, MakeOptimizer
from recsys.tasks.ranking import RankingTask


@runtime_checkable
class ObjectiveModel(Protocol):
    """A model whose loss is a part of it, not one of the grid's."""

    def objective(self, batch: TrainBatch) -> Tensor:
        """What training lowers: a mean over the batch's target positions."""
        ...

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """Scores of the whole catalogue for each user, [B, V]; a tensor the caller may overwrite."""
        ...


class OwnObjective(RankingTask):
    """Lowers `model.objective`; no candidates are drawn and no loss is chosen."""

    def __init__(
        self,
        *,
        model: ObjectiveModel,
        optimizer: MakeOptimizer,
        protocol: RankingProtocol,
        metrics: RankingMetrics,
        scheduler: AnySchedule | None = None,
    ) -> None:
        super().__init__(protocol=protocol, metrics=metrics, optimizer=optimizer, scheduler=scheduler)
        self.model = model

    def finetune(self, batch: TrainBatch) -> Tensor:
        return self.model.objective(batch)

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.model.score_batch(batch)
