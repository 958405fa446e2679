"""What a fit takes, counted through interruptions."""

import time

from pytorch_lightning import Callback, LightningModule, Trainer


class Stopwatch(Callback):
    """Seconds from the start of the fit, those before a resumed checkpoint included.

    `fit` is wall time; `fit_cpu` the processor time of all threads, which a busy machine distorts less.
    """

    def __init__(self) -> None:
        self.before = {"fit": 0.0, "fit_cpu": 0.0}
        self.started = self._now()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.started = self._now()

    def seconds(self) -> dict[str, float]:
        now = self._now()
        return {phase: self.before[phase] + now[phase] - self.started[phase] for phase in now}

    def state_dict(self) -> dict[str, float]:
        return self.seconds()

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self.before = dict(state_dict)
        self.started = self._now()

    @staticmethod
    def _now() -> dict[str, float]:
        return {"fit": time.perf_counter(), "fit_cpu": time.process_time()}
