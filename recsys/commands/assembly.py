"""Builds the parts of a run from its config; the only place where config nodes meet facts of the data."""

from typing import NamedTuple

from hydra.utils import instantiate
from omegaconf import DictConfig

from recsys.data.catalogue import Catalogue
from recsys.data.datamodule import SequenceDataModule
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Split
from recsys.evaluation import FullRanking
from recsys.metrics.ranking import RankingMetrics
from recsys.tasks.sequential import SequentialRecommender


class Parts(NamedTuple):
    """What a Trainer needs, and the evaluator's two halves."""

    task: SequentialRecommender
    datamodule: SequenceDataModule
    protocol: FullRanking
    metrics: RankingMetrics


def assemble(config: DictConfig, split: Split, catalogue: Catalogue) -> Parts:
    """Model, candidates, loss, task and batches for a split over a catalogue."""
    protocol, metrics = instantiate(config.eval.protocol), instantiate(config.eval.metrics)
    task = instantiate(config.task.module)(
        model=instantiate(config.model)(catalogue),
        sampler=instantiate(config.sampler)(catalogue),
        loss=instantiate(config.loss),
        optimizer=instantiate(config.optimizer),
        scheduler=instantiate(config.scheduler),
        protocol=protocol,
        metrics=metrics,
    )
    collator = instantiate(config.task.collator)(num_items=catalogue.num_items)
    datamodule = instantiate(config.task.datamodule)(split, num_items=catalogue.num_items, collator=collator)
    return Parts(task, datamodule, protocol, metrics)


def rehearse(config: DictConfig) -> None:
    """Builds every part for a toy catalogue and takes one step: a bad value is found before any data is read."""
    rows = Ragged.from_rows([[0, 1, 2], [2, 1, 0]])
    questions = EvalSet(rows.starts // 3, rows.trim(tail=1), rows.trim(head=2))
    split, catalogue = Split(rows, questions, questions), Catalogue(num_items=3, train=rows, whole=rows)
    parts = assemble(config, split, catalogue)
    parts.task.configure_optimizers()
    parts.task.finetune(next(iter(parts.datamodule.train_dataloader()))).backward()
    instantiate(config.split)
    instantiate(config.callbacks)
