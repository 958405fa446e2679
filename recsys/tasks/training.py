"""What every task shares: a loss of a batch, and the optimiser where there is one."""

from typing import Any, ClassVar

from pytorch_lightning import LightningModule
from torch import Tensor, nn

from recsys.data.datamodule import SequenceDataModule
from recsys.tasks.optimization import AnySchedule, MakeOptimizer, optimization
from recsys.tasks.schedules import Horizon


class TrainingTask(LightningModule):
    """A LightningModule that can be rehearsed and says what it logs.

    optimizer: makes the optimiser from the parameters; None where nothing is trained by gradient.
    scheduler: the schedule of its learning rate; None where there is none.
    lower_is_better: of what `monitors` names.
    reads_attributes: whether it has a use for the items' attributes, which are read for such a task alone.
    toy_size: users and items of the toy data that it is rehearsed on.
    """

    lower_is_better: ClassVar[bool] = False
    reads_attributes: ClassVar[bool] = False
    toy_size: ClassVar[int] = 3

    def __init__(self, *, optimizer: MakeOptimizer | None = None, scheduler: AnySchedule | None = None) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.scheduler = scheduler

    @property
    def num_parameters(self) -> int:
        """Numbers that training finds."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def monitors(self) -> list[str]:
        """Names of what may choose the best epoch."""
        raise NotImplementedError

    def finetune(self, batch: Any) -> Tensor:
        """The loss of a batch, a mean over its positions."""
        raise NotImplementedError

    def rehearse(self, data: SequenceDataModule, *, clip: float | None = None) -> None:
        """One step on toy data: a bad value is found before real data is read. clip: the gradients' largest norm."""
        made = self.optimization(Horizon(step=1, epoch=1))
        batch = next(iter(data.train_dataloader()))
        if made is None:
            return
        if clip and getattr(made["optimizer"], "takes_sparse", False):
            raise ValueError(
                f"trainer.gradient_clip_val ({clip}) cannot clip the sparse gradients of "
                f"{type(made['optimizer']).__name__}; set it to null, or optimizer=adam"
            )

        def closure() -> Tensor:
            loss = self.finetune(batch)
            loss.backward()
            return loss

        made["optimizer"].step(closure)

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
