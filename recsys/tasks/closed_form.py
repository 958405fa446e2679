"""Fitting a model that is solved for, under the Trainer that runs everything else."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.datamodule import SequenceDataModule
from recsys.evaluation import RankingProtocol
from recsys.metrics.ranking import RankingMetrics
from recsys.models.closed_form import ClosedFormModel
from recsys.tasks.ranking import RankingTask


class ClosedForm(RankingTask):
    """The model is fitted when training starts; one empty step follows, so that validation and checkpoint do too."""

    def __init__(self, *, model: ClosedFormModel, protocol: RankingProtocol, metrics: RankingMetrics) -> None:
        super().__init__(protocol=protocol, metrics=metrics)
        self.model = model

    @property
    def num_parameters(self) -> int:
        """Numbers of the solution that are not 0: a sparse one has few."""
        return sum(int(buffer.count_nonzero()) for buffer in self.model.buffers() if buffer.is_floating_point())

    def rehearse(self, data: SequenceDataModule, *, clip: float | None = None) -> None:
        self.model.fit()
        super().rehearse(data, clip=clip)

    def on_train_start(self) -> None:
        self.model.fit()

    def training_step(self, batch: TrainBatch, batch_idx: int) -> None:
        """Nothing is left to do."""

    def on_train_epoch_end(self) -> None:
        """Ends the fit, whatever `trainer.max_epochs` of a grid says: the next epoch would find the same."""
        self.trainer.should_stop = True

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Callable[[], Any] | None = None
    ) -> None:
        """Counts the step, without which Lightning would save no checkpoint; there is no optimiser to move."""
        assert optimizer_closure is not None
        optimizer_closure()

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.model.score_batch(batch)
