"""Missing values against true negatives: how a model scores what was hidden, what is disliked, what nobody rated."""

from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from recsys.candidates import CandidateSampler
from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.collators import Evaluation
from recsys.data.ragged import Ragged
from recsys.data.splits import EvalSet, Labelled, Split
from recsys.evaluation.evaluator import Scorer

BLOCK = 1024  # positions whose candidates are looked at together: the whole catalogue may be each one's
BATCH = 256  # questions scored together

Link = Callable[[Tensor], Tensor]


class Kind(IntEnum):
    """What an item is to a user."""

    UNRATED = 0
    HELD_OUT = 1
    DISLIKED = 2
    MISSING = 3
    OBSERVED = 4


class Pair(NamedTuple):
    """Items of one kind, each at the moment at which its user came to it, against all of another kind."""

    item: Kind
    over: Kind

    @property
    def name(self) -> str:
        """Such as `missing_over_disliked`."""
        return f"{self.item.name}_over_{self.over.name}".lower()


PAIRS = (
    Pair(Kind.OBSERVED, Kind.MISSING),
    Pair(Kind.MISSING, Kind.DISLIKED),
    Pair(Kind.MISSING, Kind.UNRATED),
    Pair(Kind.DISLIKED, Kind.UNRATED),
)


class Kinds:
    """What each item is to each user of a split with hidden positives. V items."""

    def __init__(self, labelled: Labelled, *, split: Split, num_items: int) -> None:
        self.num_items = num_items
        held_out = [(part.users[part.targets.row_ids()], part.targets.flat()) for part in (split.valid, split.test)]
        trained = (split.train.row_ids(), split.train.flat())
        known = {Kind.DISLIKED: [_pairs(labelled.disliked)], Kind.MISSING: [_pairs(labelled.missing)]}
        known |= {Kind.HELD_OUT: held_out, Kind.OBSERVED: [trained]}
        self.rows = {kind: _rows(pairs, num_users=split.train.num_rows) for kind, pairs in known.items()}

    def of(self, users: Tensor) -> Tensor:
        """Users [B] -> [B, V] int64, values of `Kind`; an item of several kinds (a repeated one) is of the last."""
        table = np.full((len(users), self.num_items), Kind.UNRATED, dtype=np.int64)
        for kind, rows in self.rows.items():
            own = rows.take(users.cpu().numpy())
            table[own.row_ids(), own.flat()] = kind
        return torch.from_numpy(table)


def sampled(questions: EvalSet, *, per_user: int, seed: int) -> EvalSet:
    """At most so many of each user's rows that have an input, drawn from the seed."""
    keys = np.random.default_rng(seed).random(len(questions.users))
    order = np.lexsort((keys, questions.users))
    order = order[questions.inputs.lengths[order] > 0]
    users = questions.users[order]
    kept = np.sort(order[np.arange(len(order)) - np.searchsorted(users, users) < per_user])
    return EvalSet(questions.users[kept], questions.inputs.take(kept), questions.targets.take(kept))


def win_share(scores: Tensor, items: Tensor, opponents: Tensor) -> Tensor:
    """Share of the opponents that an item is scored above, ties half: the area under the ROC curve. NaN without any.

    scores: [B, V]. items: [B] int64. opponents: [B, V] bool. -> [B] float64.
    """
    own = scores.gather(1, items[:, None])  # [B, 1]
    won = ((scores < own) & opponents).sum(1) + 0.5 * ((scores == own) & opponents).sum(1)
    return won.double() / opponents.sum(1)


class Moments(NamedTuple):
    """Rows of one kind. users: [R]. probabilities: [R], of the item; nan without a link. wins: pair -> [R]."""

    users: np.ndarray
    probabilities: np.ndarray
    wins: dict[str, np.ndarray]


def moments(
    scorer: Scorer, questions: EvalSet, kind: Kind, kinds: Kinds, *, max_length: int, link: Link | None = None
) -> Moments:
    """Scores each row's item where its user stood when they came to it, and compares within that moment, see win_share.

    Only scores of one moment are comparable: a pairwise loss leaves their level free.
    link: logits [B, V] -> probabilities [B, V].
    """
    pairs = [pair for pair in PAIRS if pair.item == kind]
    found: list[list[Tensor]] = []
    for batch, scores in scored(scorer, questions, num_items=kinds.num_items, max_length=max_length):
        item, table = batch.targets[:, 0], kinds.of(batch.users)
        wins = [win_share(scores, item, table == pair.over) for pair in pairs]
        probabilities = torch.full_like(scores, torch.nan) if link is None else link(scores)
        found.append([batch.users, probabilities.gather(1, item[:, None]).squeeze(1), *wins])
    users, own, *columns = (torch.cat(column).numpy() for column in zip(*found, strict=True))
    return Moments(users, own, dict(zip((pair.name for pair in pairs), columns, strict=True)))


@torch.inference_mode()
def scored(
    scorer: Scorer, questions: EvalSet, *, num_items: int, max_length: int
) -> Iterator[tuple[EvalBatch, Tensor]]:
    """Batches of the questions, rows of like length together, with their scores [B, V] on the CPU."""
    make = Evaluation(questions, num_items=num_items, max_length=max_length)
    order = np.argsort(-np.minimum(questions.inputs.lengths, max_length), kind="stable")
    for start in range(0, len(order), BATCH):
        batch = make(order[start : start + BATCH])
        scores = scorer.score_batch(batch).float().cpu()
        if scores.isnan().any():
            raise ValueError("the model scores items with numbers that are none (NaN); train it again")
        yield batch, scores


def auc_per_user(found: Moments) -> pd.DataFrame:
    """Each user's mean over their moments: index user, a column per pair; nan where the user has no such pair."""
    frame = pd.DataFrame(found.wins, index=pd.Index(found.users, name="user"))
    return frame.groupby(level="user").mean()  # pyright: ignore[reportReturnType]


class Drawn(NamedTuple):
    """Of all negatives of an epoch, the share that is of each kind to the user they are drawn for."""

    shares: dict[str, float]

    @property
    def false_negatives(self) -> float:
        """The share that the user likes: hidden, held out, or another of their training items."""
        liked = (Kind.MISSING, Kind.HELD_OUT, Kind.OBSERVED)
        return sum(self.shares[kind.name.lower()] for kind in liked)


def drawn(sampler: CandidateSampler, batches: Iterator[TrainBatch], kinds: Kinds) -> Drawn:
    """What the sampler makes negatives of, in one epoch of batches."""
    counts = torch.zeros(len(Kind), dtype=torch.int64)
    for batch in batches:
        candidates, table = sampler(batch.positives, batch), kinds.of(batch.users)
        for start in range(0, len(batch.places), BLOCK):
            block = slice(start, start + BLOCK)
            part = candidates.rows(block)
            columns = part.columns()
            counted = torch.ones_like(columns, dtype=torch.bool) if part.removed is None else ~part.removed
            counted = counted.scatter(1, part.target[:, None], False)
            counts += table[batch.rows[block][:, None], columns][counted].bincount(minlength=len(Kind))
    total = max(int(counts.sum()), 1)
    return Drawn({kind.name.lower(): float(counts[kind]) / total for kind in Kind})


def _pairs(questions: EvalSet) -> tuple[np.ndarray, np.ndarray]:
    return questions.users, questions.targets.flat()


def _rows(pairs: list[tuple[np.ndarray, np.ndarray]], *, num_users: int) -> Ragged:
    users, items = (np.concatenate(column) for column in zip(*pairs, strict=True))
    order = np.argsort(users, kind="stable")
    return Ragged.from_lengths(items[order], np.bincount(users, minlength=num_users))
