"""Samplers against the distributions they promise. Deviations are in standard deviations, at most five."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch

from recsys.candidates import (
    CandidateSampler,
    Exclusion,
    InBatch,
    Nothing,
    PerPosition,
    Popularity,
    Positive,
    SharedNegatives,
    TrainItems,
    TruncatedSequence,
    WholeSequence,
)
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators import NextItem
from recsys.data.ragged import Ragged

NUM_ITEMS = 9
TRAIN = Ragged.from_rows([[0, 1, 2, 3], [4, 4, 5], [8, 0]])
WHOLE = Ragged.from_rows([[0, 1, 2, 3, 6, 7], [4, 4, 5, 0, 1], [8, 0, 2, 3]])
CATALOGUE = Catalogue(num_items=NUM_ITEMS, train=TRAIN, whole=WHOLE)


def batch_of(users: list[int], *, max_length: int = 10) -> tuple[torch.Tensor, TrainBatch]:
    """Positives and batch of the given users' training rows."""
    batch = NextItem(num_items=NUM_ITEMS, max_length=max_length)(np.array(users), TRAIN.take(np.array(users)))
    return batch.targets[batch.target_mask], batch


@pytest.mark.parametrize("popular", [False, True])
@pytest.mark.parametrize(
    ("exclude", "max_length", "allowed"),
    [
        (Nothing, 10, range(9)),
        (Positive, 10, {0, 1, 2, 4, 5, 6, 7, 8}),  # of user 0's last position, whose positive is 3
        (TrainItems, 10, {4, 5, 6, 7, 8}),
        (WholeSequence, 10, {4, 5, 8}),
        (TruncatedSequence, 2, {0, 4, 5, 6, 7, 8}),  # the row holds 1, 2 -> 2, 3
    ],
)
def test_negatives_follow_the_distribution_restricted_to_what_is_allowed(
    exclude: Callable[[Catalogue], Exclusion], max_length: int, allowed: set[int], popular: bool
) -> None:
    distribution = partial(Popularity, alpha=0.7, smoothing=0.5) if popular else None
    parts = {"distribution": distribution} if distribution else {}
    sampler = PerPosition(CATALOGUE, num_negatives=40_000, exclude=exclude, **parts)
    positives, batch = batch_of([1, 0, 2], max_length=max_length)
    drawn = sampler(positives, batch)
    last = int((batch.target_mask.sum(1)).cumsum(0)[1]) - 1  # user 0's last position
    assert positives[last] == 3
    weights = (np.bincount(TRAIN.flat(), minlength=NUM_ITEMS) + 0.5) ** 0.7 if popular else np.ones(NUM_ITEMS)
    weights[[item for item in range(NUM_ITEMS) if item not in set(allowed)]] = 0
    kept = drawn.columns()[last, 1:]
    if drawn.removed is not None:
        kept = kept[~drawn.removed[last, 1:]]
    assert len(kept) > 39_500  # where two items in three are excluded, 20 rounds leave 3 draws in 10,000
    expected = len(kept) * weights / weights.sum()
    counts = np.bincount(kept.numpy(), minlength=NUM_ITEMS)
    assert (counts[weights == 0] == 0).all()
    spread = np.sqrt(expected * (1 - expected / len(kept)))
    assert (np.abs(counts - expected) <= 5 * spread).all()


def test_a_user_who_has_everything_has_no_negatives() -> None:
    rows = Ragged.from_rows([[0, 1, 2], [0, 1, 0]])
    catalogue = Catalogue(num_items=3, train=rows)
    batch = NextItem(num_items=3, max_length=3)(np.arange(2), rows)
    sampler = PerPosition(catalogue, num_negatives=5, exclude=TrainItems)
    drawn = sampler(batch.targets[batch.target_mask], batch)
    assert drawn.removed is not None
    assert drawn.removed.tolist() == 2 * [[False] + 5 * [True]] + 2 * [6 * [False]]
    assert (drawn.columns()[2:, 1:] == 2).all()


def test_shared_negatives_are_the_same_for_all_and_hits_are_removed() -> None:
    positives, batch = batch_of([0, 1, 2])
    drawn = SharedNegatives(CATALOGUE, num_negatives=50)(positives, batch)
    columns = drawn.columns()
    assert columns.shape == (len(positives), 51)
    assert (columns[:, 1:] == columns[0, 1:]).all()
    assert drawn.removed is not None
    assert drawn.removed[:, 1:].equal(columns[:, 1:] == positives[:, None])
    assert SharedNegatives(CATALOGUE, num_negatives=50, exclude=Nothing)(positives, batch).removed is None


def test_in_batch_candidates_are_the_distinct_positives() -> None:
    positives, batch = batch_of([0, 1, 1, 2])
    drawn = InBatch(CATALOGUE)(positives, batch)
    assert drawn.items is not None
    assert drawn.items.tolist() == sorted(set(positives.tolist()))
    assert drawn.removed is None
    excluding = InBatch(CATALOGUE, exclude=TrainItems)(positives, batch)
    assert excluding.removed is not None
    own = {user: set(TRAIN.row(user).tolist()) for user in (0, 1, 2)}
    users = batch.users[batch.target_mask.nonzero()[:, 0]].tolist()
    for user, positive, removed in zip(users, positives.tolist(), excluding.removed, strict=True):
        kept = set(drawn.items[~removed].tolist())
        assert kept == (set(drawn.items.tolist()) - own[user]) | {positive}


def test_in_batch_log_q_is_the_chance_to_be_in_the_batch() -> None:
    positives, batch = batch_of([0, 1, 2])  # 6 positions
    log_q = InBatch(CATALOGUE, log_q=True)(positives, batch).log_q
    assert log_q is not None
    items = torch.from_numpy(TRAIN.flat())
    batches = items[torch.randint(len(items), (100_000, len(positives)))]  # positions at random
    for item in set(items.tolist()):
        share = (batches == item).any(1).float().mean()
        assert abs(share - log_q[item].exp()) < 5 * (share * (1 - share) / 100_000) ** 0.5


@pytest.mark.parametrize("make", [PerPosition, SharedNegatives])
def test_log_q_is_the_expected_number_of_draws(make: Callable[..., CandidateSampler]) -> None:
    positives, batch = batch_of([0, 1])
    draws = partial(make, CATALOGUE, num_negatives=20, distribution=partial(Popularity, smoothing=1.0))
    assert draws()(positives, batch).log_q is None
    log_q = draws(log_q=True)(positives, batch).log_q
    counts = np.bincount(TRAIN.flat(), minlength=NUM_ITEMS) + 1
    np.testing.assert_allclose(log_q.exp().numpy(), 20 * counts / counts.sum(), rtol=1e-5)


@pytest.mark.parametrize("make", [PerPosition, SharedNegatives])
@pytest.mark.parametrize(("num_items", "num_negatives", "named"), [(1, 1, "num_items"), (5, 0, "num_negatives")])
def test_impossible_sizes_are_refused(
    make: Callable[..., CandidateSampler], num_items: int, num_negatives: int, named: str
) -> None:
    with pytest.raises(ValueError, match=rf"{named} \({min(num_items, num_negatives)}\) must be at least"):
        make(Catalogue(num_items=num_items), num_negatives=num_negatives)


@pytest.mark.parametrize("exclude", [TrainItems, WholeSequence])
def test_rows_to_exclude_must_be_known(exclude: Callable[[Catalogue], Exclusion]) -> None:
    with pytest.raises(ValueError, match="has no users' rows to exclude"):
        PerPosition(Catalogue(num_items=5), num_negatives=1, exclude=exclude)
