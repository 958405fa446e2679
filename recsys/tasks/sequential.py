"""Training a sequential recommender: the masked fine-tune step with any encoder, candidates and loss."""

from collections.abc import Callable, Iterable
from typing import Any

from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer

from recsys.candidates import CandidateSampler
from recsys.data.batches import EvalBatch, TrainBatch
from recsys.evaluation import FullRanking, num_relevant
from recsys.losses.base import RankingLoss
from recsys.metrics.ranking import RankingMetrics
from recsys.models.base import SequentialModel
from recsys.scoring import mean_loss


class SequentialRecommender(LightningModule):
    """An encoder, what its positions are scored against, and the loss over those scores: three independent parts.

    optimizer: makes the optimiser from the parameters; scheduler: makes a per-step schedule from the optimiser.
    block_rows: positions whose logits are held at once.
    """

    def __init__(
        self,
        *,
        model: SequentialModel,
        sampler: CandidateSampler,
        loss: RankingLoss,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        protocol: FullRanking,
        metrics: RankingMetrics,
        scheduler: Callable[[Optimizer], Any] | None = None,
        block_rows: int = 256,
    ) -> None:
        super().__init__()
        self.model = model
        self.sampler = sampler
        self.loss = loss
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.protocol = protocol
        self.metrics = metrics
        self.block_rows = block_rows

    def finetune(self, batch: TrainBatch) -> Tensor:
        """The masked step: hidden states at target positions alone meet their candidates; mean over positions."""
        queries = self.model.encode(batch.items)[batch.target_mask]  # [N, D]
        candidates = self.sampler(batch.targets[batch.target_mask], batch)
        return mean_loss(queries, self.model.item_table(), candidates, self.loss, rows=self.block_rows)

    def training_step(self, batch: TrainBatch, batch_idx: int) -> Tensor:
        loss = self.finetune(batch)
        positions = int(batch.target_mask.sum())  # the weight that makes the epoch's loss a mean over positions
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=positions, prog_bar=True)
        return loss

    def score_batch(self, batch: EvalBatch) -> Tensor:
        """Scores of the whole catalogue for each user, [B, V]."""
        return self.model.score(self.model.next_query(batch.items))

    def validation_step(self, batch: EvalBatch, batch_idx: int) -> None:
        ranks = self.protocol.ranks(self.score_batch(batch), batch)
        self.metrics.update(ranks, num_relevant(batch))

    def on_validation_epoch_end(self) -> None:
        values = self.metrics.compute()
        self.metrics.reset()
        self.log_dict({f"val/{name}": value for name, value in values.items()})

    def configure_optimizers(self) -> Any:
        trainable = [parameter for parameter in self.parameters() if parameter.requires_grad]
        if not trainable:
            raise ValueError("every parameter is frozen, so there is nothing to train; unfreeze at least one layer")
        optimizer = self.optimizer(trainable)
        if self.scheduler is None:
            return optimizer
        return [optimizer], [{"scheduler": self.scheduler(optimizer), "interval": "step"}]
