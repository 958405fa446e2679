"""What the learning rate is at each step of a real training, against formulas and torch's own schedulers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from grid import composed
from hydra.utils import instantiate
from pytorch_lightning import Callback, Trainer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, PolynomialLR

from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.runs.assembly import assemble
from recsys.tasks.schedules import Horizon, ScheduleOnPlateau, ScheduleToEnd

NUM_USERS, BATCH_SIZE, EPOCHS = 10, 4, 4
STEPS = 3 * EPOCHS  # 10 rows in batches of 4
LR = 0.5


class Rates(Callback):
    """The learning rate that each optimiser step used."""

    def __init__(self) -> None:
        self.used: list[float] = []

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: Any, optimizer: torch.optim.Optimizer) -> None:
        self.used.append(optimizer.param_groups[0]["lr"])


def rates(*overrides: str, **limits: Any) -> list[float]:
    """Trains a tiny SASRec and returns the learning rate of each step."""
    rows = Ragged.from_rows([[(user + step) % 6 for step in range(5)] for user in range(NUM_USERS)])
    questions = EvalSet(np.arange(NUM_USERS), rows.trim(tail=1), rows.trim(head=4))
    config = composed(f"optimizer.lr={LR}", f"batch_size={BATCH_SIZE}", "max_length=5", "model.dim=4", *overrides)
    catalogue = Catalogue(num_items=6, train=rows, whole=rows)
    parts = assemble(config, Split(rows, questions, questions), catalogue)
    recorder = Rates()
    settings = {"max_epochs": EPOCHS, "accelerator": "cpu", "callbacks": [recorder], "num_sanity_val_steps": 0}
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    Trainer(**(settings | quiet | limits)).fit(parts.task, datamodule=parts.datamodule)
    return recorder.used


def by_torch(make: Callable[[torch.optim.Optimizer], LRScheduler], *, times: int) -> list[float]:
    """The learning rates that one of torch's schedulers runs through."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler, used = make(optimizer), []
    for _ in range(times):
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return used


def per_epoch(values: list[float]) -> np.ndarray:
    """One value per epoch -> one per step."""
    return np.repeat(values, STEPS // EPOCHS)


def test_constant() -> None:
    assert rates("scheduler=constant") == [LR] * STEPS


def test_warmup_rises_per_step_and_stays() -> None:
    used = rates("scheduler=warmup", "scheduler.curve.total_iters=4", "scheduler.curve.start_factor=0.2")
    assert used == pytest.approx([LR * min(0.2 + 0.2 * step, 1.0) for step in range(STEPS)])


def test_warmup_per_epoch() -> None:
    overrides = ("scheduler.interval=epoch", "scheduler.curve.total_iters=2", "scheduler.curve.start_factor=0.5")
    assert rates("scheduler=warmup", *overrides) == pytest.approx(per_epoch([0.25, 0.375, 0.5, 0.5]))


def test_steps_drop_per_epoch() -> None:
    used = rates("scheduler=step", "scheduler.curve.every=2", "scheduler.curve.factor=0.1")
    assert used == pytest.approx(per_epoch([0.5, 0.5, 0.05, 0.05]))


def test_steps_drop_per_step() -> None:
    overrides = ("scheduler.interval=step", "scheduler.curve.every=5", "scheduler.curve.factor=0.1")
    assert rates("scheduler=step", *overrides) == pytest.approx([0.5] * 5 + [0.05] * 5 + [0.005] * 2)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("cosine", lambda optimizer: CosineAnnealingLR(optimizer, T_max=STEPS)),
        ("linear", lambda optimizer: PolynomialLR(optimizer, total_iters=STEPS)),
    ],
)
def test_curves_to_the_end_are_torchs_over_the_steps_of_the_run(name: str, make: Callable) -> None:
    used = rates(f"scheduler={name}", "scheduler.curve.warmup=0")
    assert used == pytest.approx(by_torch(make, times=STEPS))


def test_a_curve_to_the_end_per_epoch_is_flat_within_each() -> None:
    used = rates("scheduler=cosine", "scheduler.curve.warmup=0", "scheduler.interval=epoch")
    assert used == pytest.approx(per_epoch(by_torch(lambda o: CosineAnnealingLR(o, T_max=EPOCHS), times=EPOCHS)))


def test_warmup_comes_before_the_decay_and_final_after_it() -> None:
    used = rates("scheduler=linear", "scheduler.curve.warmup=4", "scheduler.curve.final=0.2")
    rise = [LR * share for share in (0.2, 0.4, 0.6, 0.8)]
    fall = np.linspace(LR, 0.2 * LR, STEPS - 4 + 1)[:-1]
    assert used == pytest.approx([*rise, *fall])


def test_a_run_that_ends_within_the_warmup_is_no_error() -> None:
    assert rates("scheduler=cosine", max_epochs=1) == pytest.approx([LR * step / 101 for step in (1, 2, 3)])


def test_max_steps_ends_the_curve() -> None:
    used = rates("scheduler=linear", "scheduler.curve.warmup=0", max_epochs=-1, max_steps=5)
    assert used == pytest.approx(np.linspace(LR, 0, 6)[:-1])


def validations_give(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    """Makes the validations return these values of ndcg@10, in turn."""
    given = iter(values)
    monkeypatch.setattr(
        "recsys.metrics.ranking.RankingMetrics.compute",
        lambda self: {"ndcg@10": torch.tensor(next(given), dtype=torch.float64)},
    )


def test_plateau_drops_when_the_metric_has_not_risen(monkeypatch: pytest.MonkeyPatch) -> None:
    validations_give(monkeypatch, [0.3, 0.4, 0.4, 0.3])
    used = rates("scheduler=plateau", "scheduler.curve.patience=0", "scheduler.curve.factor=0.1")
    assert used == pytest.approx(per_epoch([0.5, 0.5, 0.5, 0.05]))


def test_plateau_counts_validations_not_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    validations_give(monkeypatch, [0.4, 0.3, 0.2])
    used = rates("scheduler=plateau", "scheduler.curve.patience=1", check_val_every_n_epoch=2, max_epochs=6)
    assert used == [LR] * 18
    validations_give(monkeypatch, [0.4, 0.3, 0.2])
    used = rates("scheduler=plateau", "scheduler.curve.patience=0", check_val_every_n_epoch=2, max_epochs=6)
    assert used == pytest.approx([0.5] * 12 + [0.25] * 6)


def test_a_validation_before_training_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    validations_give(monkeypatch, [0.9, 0.1, 0.2, 0.3, 0.4])
    used = rates("scheduler=plateau", "scheduler.curve.patience=0", num_sanity_val_steps=1)
    assert used == [LR] * STEPS


def optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)


def test_plateau_needs_a_metric_of_the_validation() -> None:
    schedule = instantiate(composed("scheduler=plateau", "monitor=val/ndcg@7").scheduler)
    assert isinstance(schedule, ScheduleOnPlateau)
    scheduler = schedule.attach(optimizer(), Horizon(1, 1))["scheduler"]
    with pytest.raises(ValueError, match=r"scheduler.monitor \(val/ndcg@7\) must be one of val/ndcg@5, val/hr@5"):
        schedule.validated(scheduler, {"val/ndcg@5": torch.tensor(0.0), "val/hr@5": torch.tensor(0.0)})


@pytest.mark.parametrize("name", ["cosine", "linear"])
def test_a_curve_to_the_end_needs_an_end(name: str) -> None:
    schedule = instantiate(composed(f"scheduler={name}").scheduler)
    assert isinstance(schedule, ScheduleToEnd)
    with pytest.raises(ValueError, match=r"which nothing limits; set trainer.max_epochs"):
        schedule.attach(optimizer(), Horizon(math.inf, math.inf))


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (("scheduler=step", "scheduler.curve.every=0"), r"every \(0\) must be at least 1; set scheduler.curve.every"),
        (("scheduler=cosine", "scheduler.curve.warmup=-1"), r"warmup \(-1\) must be at least 0; set scheduler.curve"),
    ],
)
def test_refused_values(overrides: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        instantiate(composed(*overrides).scheduler).attach(optimizer(), Horizon(1, 1))
