"""What every task shares: validation by the evaluator's own ranks, and the optimiser where there is one."""

from typing import Any

from pytorch_lightning import LightningModule
from torch import Tensor, nn

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.evaluation import FullRanking, num_relevant
from recsys.metrics.ranking import RankingMetrics
from recsys.tasks.optimization import AnySchedule, MakeOptimizer, optimization
from recsys.tasks.schedules import Horizon


class RankingTask(LightningModule):
    """A task whose `score_batch` is validated each epoch.

    optimizer: makes the optimiser from the parameters; None where nothing is trained by gradient.
    scheduler: the schedule of its learning rate; None where there is none.
    """

    def __init__(
        self,
        *,
        protocol: FullRanking,
        metrics: RankingMetrics,
        optimizer: MakeOptimizer | None = None,
        scheduler: AnySchedule | None = None,
    ) -> None:
        super().__init__()
        self.protocol = protocol
        self.metrics = metrics
        self.optimizer = optimizer
        self.scheduler = scheduler

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """Scores of the whole catalogue for each user, [B, V]."""
        raise NotImplementedError

    def finetune(self, batch: TrainBatch) -> Tensor:
        """The loss of a batch, a mean over its positions."""
        raise NotImplementedError

    def rehearse(self, batch: TrainBatch) -> None:
        """One step on a toy batch, so that a bad value is found before any data is read."""
        self.optimization(Horizon(step=1, epoch=1))
        self.finetune(batch).backward()

    def training_step(self, batch: TrainBatch, batch_idx: int) -> dict[str, Any] | None:
        loss = self.finetune(batch)
        positions = len(batch.places)  # the weight that makes the epoch's loss a mean over positions
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=positions, prog_bar=True)
        return {"loss": loss, "positions": positions}

    def validation_step(self, batch: EvalBatch, batch_idx: int) -> None:
        ranks = self.protocol.ranks(self.score_batch(batch), batch)
        self.metrics.update(ranks, num_relevant(batch))

    def on_validation_epoch_end(self) -> None:
        values = self.metrics.compute()
        self.metrics.reset()
        logged = {f"val/{name}": value for name, value in values.items()}
        self.log_dict(logged)
        if self.scheduler is not None and not self.trainer.sanity_checking:
            self.scheduler.validated(self.lr_schedulers(), logged)

    def configure_optimizers(self) -> Any:
        return self.optimization(Horizon.of(self.trainer))

    def optimization(self, horizon: Horizon) -> Any:
        """Optimiser and schedule for a training of that length, as `configure_optimizers` returns them."""
        if self.optimizer is None:
            return None
        made = optimization(self.parameters(), optimizer=self.optimizer, schedule=self.scheduler, horizon=horizon)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                module.sparse = getattr(made["optimizer"], "takes_sparse", False)
        return made
