"""Batches for training and evaluation, with or without a Trainer."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningDataModule
from torch.utils.data import DataLoader, Dataset, Sampler

from recsys.data.collators import Evaluation, TrainCollator
from recsys.data.samples import Sampling, WholeRows
from recsys.data.splits import Split

CACHED = 2**23  # scores, 32 MB


class LengthBuckets(Sampler[np.ndarray]):
    """Random batches of rows of similar length, so that little of a batch is padding.

    Rows are shuffled, cut into pools of `pool` batches, sorted by length within a pool, cut into batches, and the
    batches are shuffled. `pool=1` is plain shuffling. The order depends on the seed and the epoch alone, so a
    resumed run draws what the uninterrupted one would have drawn. `reshuffle=False` repeats the first epoch's order.
    """

    def __init__(self, lengths: np.ndarray, *, batch_size: int, pool: int, seed: int, reshuffle: bool = True) -> None:
        self.lengths = lengths
        self.reshuffle = reshuffle
        self.batch_size = batch_size
        self.pool = pool
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the Trainer before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        generator = np.random.default_rng((self.seed, self.epoch if self.reshuffle else 0))
        order = generator.permutation(len(self.lengths))
        pools = np.arange(len(order)) // (self.batch_size * self.pool)
        order = order[np.lexsort((self.lengths[order], pools))]
        batches = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        for batch in generator.permutation(len(batches)):
            yield batches[batch]


class InOrder(Sampler[np.ndarray]):
    """Every row once, the longest first: an out-of-memory error comes at the first batch, and padding is small."""

    def __init__(self, lengths: np.ndarray, *, batch_size: int) -> None:
        self.order = np.argsort(-lengths, kind="stable")
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self.order), self.batch_size):
            yield self.order[start : start + self.batch_size]


class _Batches(Dataset):
    """A data set whose index is an array of rows and whose element is a whole batch."""

    def __init__(self, make: Callable[[np.ndarray], Any]) -> None:
        self.make = make

    def __getitem__(self, index: np.ndarray) -> Any:
        return self.make(index)


class SequenceDataModule(LightningDataModule):
    """Batches of a split.

    collator: turns rows of training items into a TrainBatch; decides what is predicted from what.
    samples: what of the training rows an epoch is made of, see Sampling; None is WholeRows.
    batch_size: samples per training batch; pool, seed, reshuffle: see LengthBuckets.
    eval_batch_size: users per evaluation batch; None: see `users_at_once`.
    """

    def __init__(
        self,
        split: Split,
        *,
        num_items: int,
        max_length: int,
        collator: TrainCollator,
        batch_size: int,
        eval_batch_size: int | None,
        pool: int,
        seed: int,
        reshuffle: bool = True,
        samples: Sampling | None = None,
    ) -> None:
        super().__init__()
        self.split = split
        self.num_items = num_items
        for name, value in (("max_length", max_length), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"{name} ({value}) must be at least 1; set {name}=1 or more")
        self.max_length = max_length
        self.collator = collator
        self.batch_size = batch_size
        self.eval_batch_size = users_at_once(num_items) if eval_batch_size is None else eval_batch_size
        self.pool = pool
        self.seed = seed
        self.reshuffle = reshuffle
        self.samples = (samples or WholeRows())(split.train)

    def get_dataloader(self, name: str) -> DataLoader:
        """Batches of "train", "val" or "test"."""
        return {"train": self.train_dataloader, "val": self.val_dataloader, "test": self.test_dataloader}[name]()

    def train_dataloader(self) -> DataLoader:
        users, rows = self.samples
        lengths = np.minimum(rows.lengths, self.max_length + 1)
        sampler = LengthBuckets(
            lengths, batch_size=self.batch_size, pool=self.pool, seed=self.seed, reshuffle=self.reshuffle
        )
        return _loader(lambda index: self.collator(users[index], rows.take(index)), sampler)

    def val_dataloader(self) -> DataLoader:
        return self._questions("valid")

    def test_dataloader(self) -> DataLoader:
        return self._questions("test")

    def _questions(self, name: str) -> DataLoader:
        questions = getattr(self.split, name)
        make = Evaluation(questions, num_items=self.num_items, max_length=self.max_length)
        lengths = np.minimum(questions.inputs.lengths, self.max_length)
        return _loader(make, InOrder(lengths, batch_size=self.eval_batch_size))


def users_at_once(num_items: int) -> int:
    """How many users make an evaluation batch: 512, but no more than have scores [B, V] that a cache holds, and at
    least 128: with fewer, going through the table of items takes as long as the products.
    """
    return min(512, max(128, CACHED // num_items))


def _loader(make: Callable[[np.ndarray], Any], sampler: Sampler[np.ndarray]) -> DataLoader:
    """A loader with a generator of its own: otherwise each epoch's start would draw from the global one, before or
    after the epoch is seeded, depending on whether the run was resumed.
    """
    return DataLoader(_Batches(make), sampler=sampler, batch_size=None, generator=torch.Generator())
