"""Random numbers that depend on the epoch alone."""

import numpy as np
import torch
from pytorch_lightning import Callback, LightningModule, Trainer


class EpochSeed(Callback):
    """Seeds torch from (seed, epoch) at the start of each epoch.

    Dropout and negatives of an epoch then depend on nothing that happened before it: a run resumed from an epoch's
    checkpoint draws what the uninterrupted run would have drawn.
    """

    def __init__(self, *, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        state = np.random.SeedSequence((self.seed, trainer.current_epoch)).generate_state(1, np.uint64)
        torch.manual_seed(int(state[0]))
