"""What is recommended: each user's best unseen items, a stretch of users at a time."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from recsys.data.batches import EvalBatch
from recsys.data.collators import Evaluation
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet
from recsys.evaluation.evaluator import Scorer

STRETCH = 16  # batches whose rows are sorted by length together: little padding, and little is held


class TopItems(NamedTuple):
    """Best first. users: [B] user index. items: [B, k], none of them seen, none twice. scores: [B, k]."""

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray


def check_enough(histories: Ragged, users: np.ndarray, *, k: int, num_items: int) -> None:
    """Raises ValueError naming the user with the fewest unseen items, where they are fewer than k.

    histories: R rows of items. users: whose they are, [R].
    """
    full = np.flatnonzero(histories.lengths > num_items - k)  # only these may, for a row may repeat items
    unseen = {row: num_items - len(np.unique(histories.row(row))) for row in full.tolist()}
    fewest = min(unseen, key=unseen.__getitem__, default=None)
    if fewest is not None and unseen[fewest] < k:
        raise ValueError(
            f"k ({k}) is more than the {unseen[fewest]:,} unseen items of user {users[fewest]}, who has "
            f"{histories.lengths[fewest]:,} interactions; the catalogue has {num_items:,}: "
            f"k={max(unseen[fewest], 1)} is possible for all, or leave out users with users=FILE"
        )


def top_items(
    scorer: Scorer, histories: Ragged, users: np.ndarray, *, k: int, num_items: int, max_length: int, batch_size: int
) -> Iterator[TopItems]:
    """The k best items for each history, in the order given, never more than a stretch of batches at once.

    histories: R rows of items, oldest first, none empty; what they hold is not recommended. users: [R], their index,
    which a model with user vectors reads. ValueError where a score is not a number.
    """
    nothing = Ragged(np.empty(0, dtype=np.int64), np.zeros_like(users), np.zeros_like(users))
    make = Evaluation(EvalSet(users, histories, nothing), num_items=num_items, max_length=max_length)
    size = STRETCH * batch_size
    for start in range(0, len(users), size):
        index = np.arange(start, min(start + size, len(users)))
        order = np.argsort(-np.minimum(histories.lengths[index], max_length), kind="stable")
        items = np.empty((len(index), k), dtype=np.int64)
        scores = np.empty((len(index), k), dtype=np.float32)
        for first in range(0, len(index), batch_size):
            places = order[first : first + batch_size]
            scores[places], items[places] = _best(scorer, make(index[places]), k=k)
        yield TopItems(users[index], items, scores)


@torch.inference_mode()
def _best(scorer: Scorer, batch: EvalBatch, *, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and items of a batch, [B, k] each."""
    values, items = unseen_scores(scorer, batch, who="the model").topk(k, dim=1)
    if (values == -torch.inf).any():
        raise ValueError(f"k ({k}) is more than the items that the model scores for some user; set a smaller k")
    return values.float().numpy(), items.numpy()


def unseen_scores(scorer: Scorer, batch: EvalBatch, *, who: str) -> torch.Tensor:
    """Scores of the batch, [B, V], -inf where the user has had the item. ValueError naming `who` for a NaN."""
    scores = scorer.score_batch(batch)
    if scores.isnan().any():
        raise ValueError(f"{who} scores items with numbers that are none (NaN); train it again")
    scores[batch.seen_rows, batch.seen_items] = -torch.inf
    return scores
