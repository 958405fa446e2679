"""What every candidate sampler must do, with any exclusion. A new sampler's YAML is picked up by itself."""

import numpy as np
import pytest
import torch
from grid import build, composed, options

from recsys.candidates import CandidateSampler
from recsys.data.catalogue import Catalogue
from recsys.data.collators import NextItem
from recsys.data.ragged import Ragged

NUM_ITEMS = 7
TRAIN = Ragged.from_rows([[1, 0], [2, 3, 1, 2], [5, 6], [0, 3, 4]])
LATER = 6  # what every user takes after training
WHOLE = Ragged.from_rows([[*TRAIN.row(user).tolist(), LATER] for user in range(4)])
CATALOGUE = Catalogue(num_items=NUM_ITEMS, train=TRAIN, whole=WHOLE)
USERS = np.arange(4).repeat(300)
BATCH = NextItem(num_items=NUM_ITEMS, max_length=4)(USERS, TRAIN.take(USERS))
POSITIVES = BATCH.targets[BATCH.target_mask]


@pytest.fixture(params=options("sampler"), scope="module")
def sampler(request: pytest.FixtureRequest) -> CandidateSampler:
    return build("sampler", request.param)(CATALOGUE)


def test_the_target_column_holds_the_positive_and_counts(sampler: CandidateSampler) -> None:
    drawn = sampler(POSITIVES, BATCH)
    assert drawn.columns().gather(1, drawn.target[:, None]).squeeze(1).equal(POSITIVES)
    if drawn.removed is not None:
        assert not drawn.removed.gather(1, drawn.target[:, None]).any()


def test_every_candidate_is_an_item_of_the_catalogue(sampler: CandidateSampler) -> None:
    """The baseline drew 94 % of its negatives from ids without a film; pad and mask must not come up either."""
    items = sampler(POSITIVES, BATCH).columns()
    assert items.min() >= 0
    assert items.max() < NUM_ITEMS


def test_the_same_seed_draws_the_same_and_the_next_call_does_not(sampler: CandidateSampler) -> None:
    torch.manual_seed(5)
    first, second = sampler(POSITIVES, BATCH).columns(), sampler(POSITIVES, BATCH).columns()
    torch.manual_seed(5)
    assert first.equal(sampler(POSITIVES, BATCH).columns())
    torch.manual_seed(6)
    if first.equal(sampler(POSITIVES, BATCH).columns()):
        pytest.skip("nothing is drawn")
    assert not first.equal(second)


def test_what_counts_for_a_position_does_not_depend_on_the_block_it_is_in(sampler: CandidateSampler) -> None:
    drawn = sampler(POSITIVES, BATCH)
    logits = torch.randn(len(POSITIVES), NUM_ITEMS).gather(1, drawn.columns())
    block = slice(5, 9)
    part = drawn.rows(block)
    assert part.columns().equal(drawn.columns()[block])
    assert part.adjust(logits[block]).equal(drawn.adjust(logits)[block])
    assert part.adjust_(logits[block].clone()).equal(drawn.adjust(logits)[block])


def test_a_sampler_leaves_nothing_in_a_checkpoint(sampler: CandidateSampler) -> None:
    assert not sampler.state_dict()


def excluding() -> list[str]:
    """Samplers that take an exclusion."""
    return [name for name in options("sampler") if "exclude" in composed(f"sampler={name}").sampler]


def excluded_items(exclusion: str) -> list[set[int]]:
    """What may not be a negative of each position, looked up one by one."""
    rows = BATCH.target_mask.nonzero()[:, 0].tolist()
    shown = [{*i.tolist(), *t.tolist()} for i, t in zip(BATCH.items, BATCH.targets, strict=True)]
    return {
        "positive": [{item} for item in POSITIVES.tolist()],
        "train": [set(TRAIN.row(USERS[row]).tolist()) for row in rows],
        "whole": [{*TRAIN.row(USERS[row]).tolist(), LATER} for row in rows],
        "truncated": [shown[row] for row in rows],
    }[exclusion]


@pytest.mark.parametrize("exclusion", ["positive", "train", "whole", "truncated"])
@pytest.mark.parametrize("name", excluding())
def test_what_is_excluded_is_no_negative(name: str, exclusion: str) -> None:
    drawn = build("sampler", name, f"sampler/exclude={exclusion}")(CATALOGUE)(POSITIVES, BATCH)
    counts = torch.ones(drawn.columns().shape, dtype=torch.bool) if drawn.removed is None else ~drawn.removed
    counts = counts.scatter(1, drawn.target[:, None], False)
    for items, counted, excluded in list(zip(drawn.columns(), counts, excluded_items(exclusion), strict=True))[::7]:
        assert not excluded & set(items[counted].tolist())
