"""What every task that ranks shares: validation by the evaluator's own ranks."""

from typing import Any

import torch
from torch import Tensor

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.datamodule import SequenceDataModule
from recsys.evaluation import RankingProtocol
from recsys.metrics.ranking import RankingMetrics
from recsys.tasks.optimization import AnySchedule, MakeOptimizer
from recsys.tasks.training import TrainingTask


class RankingTask(TrainingTask):
    """A task whose `score_batch` is validated each epoch; optimizer, scheduler: see TrainingTask."""

    def __init__(
        self,
        *,
        protocol: RankingProtocol,
        metrics: RankingMetrics,
        optimizer: MakeOptimizer | None = None,
        scheduler: AnySchedule | None = None,
    ) -> None:
        super().__init__(optimizer=optimizer, scheduler=scheduler)
        self.protocol = protocol
        self.metrics = metrics

    @property
    def monitors(self) -> list[str]:
        """The metrics of the validation."""
        return [f"val/{name}" for name in self.metrics.names]

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """Scores of the whole catalogue for each user, [B, V]."""
        raise NotImplementedError

    def rehearse(self, data: SequenceDataModule, *, clip: float | None = None) -> None:
        super().rehearse(data, clip=clip)
        with torch.inference_mode():
            self.eval().score_batch(next(iter(data.val_dataloader())))

    def training_step(self, batch: TrainBatch, batch_idx: int) -> dict[str, Any] | None:
        loss = self.finetune(batch)
        positions = len(batch.places)  # the weight that makes the epoch's loss a mean over positions
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=positions, prog_bar=True)
        return {"loss": loss, "positions": positions}

    def validation_step(self, batch: EvalBatch, batch_idx: int) -> None:
        candidates = self.protocol.candidates(self.score_batch(batch), batch)
        self.metrics.update(self.protocol.rank(candidates), candidates.num_relevant())

    def on_validation_epoch_end(self) -> None:
        values = self.metrics.compute()
        self.metrics.reset()
        logged = {f"val/{name}": value for name, value in values.items()}
        self.log_dict(logged)
        if self.scheduler is not None and not self.trainer.sanity_checking:
            self.scheduler.validated(self.lr_schedulers(), logged)
