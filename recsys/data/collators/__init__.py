"""Batch-making: rows of items in, named tuples of tensors out, vectorised over the batch."""

from recsys.data.collators.bag import Bag
from recsys.data.collators.base import TrainCollator
from recsys.data.collators.cloze import Cloze
from recsys.data.collators.evaluation import Evaluation
from recsys.data.collators.last_item import LastItem
from recsys.data.collators.next_item import NextItem
from recsys.data.collators.s3_pretraining import S3Pretraining

__all__ = ["Bag", "Cloze", "Evaluation", "LastItem", "NextItem", "S3Pretraining", "TrainCollator"]
