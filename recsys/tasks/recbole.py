"""Training a model of RecBole."""

import random
import warnings
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from recsys.candidates import Candidates, CandidateSampler
from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.datamodule import SequenceDataModule
from recsys.evaluation import RankingProtocol
from recsys.metrics.ranking import RankingMetrics
from recsys.models.recbole import RecBoleModel
from recsys.models.recbole.all_positions import check_all_positions, fits_all_positions
from recsys.tasks.optimization import AnySchedule, MakeOptimizer
from recsys.tasks.ranking import RankingTask


class RecBoleTraining(RankingTask):
    """Lowers the model's own loss; where it compares targets with negatives, the grid's sampler draws them.

    A model that is solved for is so when it is made: one epoch passes, in which it may count, and is validated.
    """

    warns_of_prefixes: ClassVar[bool] = True  # one by one, where a task trains them in one pass
    toy_size: ClassVar[int] = 128  # SASRecCPR and GRU4RecCPR look at the best 100 items

    def __init__(
        self,
        *,
        model: RecBoleModel,
        sampler: CandidateSampler,
        optimizer: MakeOptimizer,
        protocol: RankingProtocol,
        metrics: RankingMetrics,
        scheduler: AnySchedule | None = None,
    ) -> None:
        super().__init__(protocol=protocol, metrics=metrics, optimizer=optimizer, scheduler=scheduler)
        self.check(model)
        self.model = model
        self.sampler = sampler

    def check(self, model: RecBoleModel) -> None:
        """Prefixes may be trained by any model."""

    def on_fit_start(self) -> None:
        """Says so where a history's prefixes could share their work."""
        if self.warns_of_prefixes and self.model.inputs.histories and fits_all_positions(self.model.wrapped):
            warnings.warn(
                f"RecBole's {type(self.model.wrapped).__name__} encodes every prefix of a history by itself; "
                "task=recbole_all_positions trains all of them in one pass, many times faster",
                stacklevel=1,
            )

    def on_train_epoch_start(self) -> None:
        """RecBole's models draw from Python's and NumPy's generators too, which follow torch's from here.

        Then the epoch begins as RecBole's do, with `train()`, by which SGL draws its graphs anew.
        """
        self.generators = random.getstate(), np.random.get_state()  # noqa: NPY002
        seed = int(torch.randint(2**31, ()))
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        self.model.train()

    def on_train_epoch_end(self) -> None:
        """Python's and NumPy's generators go on from where the epoch found them."""
        python, numpy = self.generators
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002

    def rehearse(self, data: SequenceDataModule, *, clip: float | None = None) -> None:
        self.on_train_epoch_start()
        try:
            super().rehearse(data, clip=clip)
        finally:
            self.on_train_epoch_end()

    def candidates(self, batch: TrainBatch) -> Candidates | None:
        """Targets and negatives, [N, 1 + K]; None for a loss that needs none. ValueError for any other shape."""
        if not self.model.needs_candidates:
            return None
        drawn = self.sampler(batch.positives, batch)
        if drawn.items is None or drawn.items.dim() == 1:
            raise ValueError(
                f"RecBole's {type(self.model.wrapped).__name__} needs negatives of each target's own; set "
                "sampler=uniform or sampler=popularity"
            )
        return drawn

    def finetune(self, batch: TrainBatch) -> Tensor:
        return self.model.objective(batch, self.candidates(batch))

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        if self.model.is_solved and not self.trainer.sanity_checking:
            self.trainer.should_stop = True

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.model.score_batch(batch)


class RecBoleAllPositions(RecBoleTraining):
    """All positions of whole rows are trained at once, for the models that allow it: the same loss, far less work."""

    warns_of_prefixes: ClassVar[bool] = False

    def check(self, model: RecBoleModel) -> None:
        """Raises ValueError where one pass over a row isn't what RecBole's model makes of its prefixes."""
        check_all_positions(model.wrapped)

    def rehearse(self, data: SequenceDataModule, *, clip: float | None = None) -> None:
        """Raises ValueError where rows are longer than the model reads: some of their targets would have no state."""
        length = self.model.interactions.max_length
        if length < data.max_length:
            raise ValueError(
                f"model.max_length ({length}) must be at least max_length ({data.max_length}) where all positions are "
                "trained at once; set max_length alone"
            )
        super().rehearse(data, clip=clip)

    def finetune(self, batch: TrainBatch) -> Tensor:
        return self.model.objective_of_all_positions(batch, self.candidates(batch))


class RecBoleWithAttributes(RecBoleTraining):
    """The same for models that read attributes of the items, or may: context-aware ones, SASRecF and its like."""

    reads_attributes: ClassVar[bool] = True
    warns_of_prefixes: ClassVar[bool] = False  # no task gives attributes to all positions at once
