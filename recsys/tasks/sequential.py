"""Training a sequential recommender: the masked fine-tune step with any encoder, candidates and loss."""

from collections.abc import Callable

import torch
from torch import Tensor

from recsys.candidates import CandidateSampler
from recsys.data.batches import EvalBatch, TrainBatch
from recsys.evaluation import RankingProtocol
from recsys.losses.base import RankingLoss
from recsys.metrics.ranking import RankingMetrics
from recsys.models.base import QueryModel, packs
from recsys.parallel import side_by_side
from recsys.scoring import mean_loss, score
from recsys.tasks.optimization import AnySchedule, MakeOptimizer
from recsys.tasks.ranking import RankingTask


class SequentialRecommender(RankingTask):
    """An encoder, what its positions are scored against, and the loss over those scores: three independent parts.

    optimizer, scheduler: see RankingTask.
    block_rows: positions whose logits a thread holds at once, at most.
    product_dtype: of the products that make logits and their gradients, see `mean_loss`.
    """

    def __init__(
        self,
        *,
        model: QueryModel,
        sampler: CandidateSampler,
        loss: RankingLoss,
        optimizer: MakeOptimizer,
        protocol: RankingProtocol,
        metrics: RankingMetrics,
        scheduler: AnySchedule | None = None,
        block_rows: int = 256,
        product_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(protocol=protocol, metrics=metrics, optimizer=optimizer, scheduler=scheduler)
        self.check(model)
        self.model = model
        self.sampler = sampler
        self.loss = loss
        self.block_rows = block_rows
        self.product_dtype = product_dtype

    def check(self, model: QueryModel) -> None:
        """Raises ValueError where `model` sees the very item that a position asks for."""
        if not model.causal:
            raise ValueError(
                f"{type(model).__name__} sees what follows a position, so predicting each next item would teach it to "
                "copy; set task=cloze or task=last_item"
            )

    def queries(self, batch: TrainBatch) -> Tensor:
        """The query of each target position, in the order of `batch.positives`, [N, D]."""
        return self.by_parts(self.model.queries, batch)

    def by_parts(self, function: Callable[[TrainBatch], Tensor], batch: TrainBatch) -> Tensor:
        """What a function of the model makes of the batch's parts, end to end."""
        parts = batch.cut(packed=packs(self.model, batch.items.device))
        return side_by_side(
            lambda part: function(batch.part(part)),
            parts,
            costs=[part.cost for part in parts],
            parameters=self.parameters(),
        )

    def finetune(self, batch: TrainBatch) -> Tensor:
        """The masked step: hidden states at target positions alone meet their candidates; mean over positions."""
        queries = self.queries(batch)  # [N, D]
        candidates = self.sampler(batch.positives, batch)
        table, rows = self.model.item_table(), self.block_rows
        return mean_loss(queries, table, candidates, self.loss, rows=rows, dtype=self.product_dtype)

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return score(self.model.next_queries(batch), self.model.item_table())
