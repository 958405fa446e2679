import numpy as np
import pytest
import torch
from grid import build, options

from recsys.candidates import CandidateSampler, Uniform
from recsys.data.catalogue import Catalogue
from recsys.data.collators import NextItem
from recsys.data.ragged import Ragged

NUM_ITEMS = 7
ROWS = Ragged.from_rows([[1, 0], [2, 3], [5, 6], [0, 3]])
CATALOGUE = Catalogue(num_items=NUM_ITEMS, train=ROWS, whole=ROWS)
BATCH = NextItem(num_items=NUM_ITEMS, max_length=4)(np.arange(4).repeat(500), ROWS.take(np.arange(4).repeat(500)))
POSITIVES = BATCH.targets[BATCH.target_mask]


@pytest.fixture(params=options("sampler"))
def sampler(request: pytest.FixtureRequest) -> CandidateSampler:
    return build("sampler", request.param)(CATALOGUE)


def test_the_target_column_holds_the_positive(sampler: CandidateSampler) -> None:
    drawn = sampler(POSITIVES, BATCH)
    everything = torch.arange(NUM_ITEMS) if drawn.items is None else drawn.items
    columns = everything.expand(len(POSITIVES), -1).gather(1, drawn.target[:, None]).squeeze(1)
    assert columns.equal(POSITIVES)


def test_every_candidate_is_an_item_of_the_catalogue(sampler: CandidateSampler) -> None:
    """The baseline drew 94 % of its negatives from ids without a film; pad and mask must not come up either."""
    items = sampler(POSITIVES, BATCH).items
    if items is not None:
        assert items.min() >= 0
        assert items.max() < NUM_ITEMS


def test_the_same_seed_draws_the_same_and_the_next_call_does_not(sampler: CandidateSampler) -> None:
    torch.manual_seed(5)
    first, second = sampler(POSITIVES, BATCH).items, sampler(POSITIVES, BATCH).items
    torch.manual_seed(5)
    again = sampler(POSITIVES, BATCH).items
    if first is None or second is None or again is None:
        pytest.skip("nothing is drawn")
    assert first.equal(again)
    assert not first.equal(second)


def test_uniform_draws_all_but_the_positive_equally_often() -> None:
    negatives = Uniform(CATALOGUE, num_negatives=30)(torch.full((2000,), 3), BATCH).items[:, 1:]
    counts = torch.bincount(negatives.flatten(), minlength=NUM_ITEMS)
    assert counts[3] == 0
    others = counts[counts > 0].float()
    assert len(others) == NUM_ITEMS - 1
    assert (others - 10000).abs().max() < 5 * (10000 * (5 / 6)) ** 0.5  # five standard deviations


@pytest.mark.parametrize(("num_items", "num_negatives", "named"), [(1, 1, "num_items"), (5, 0, "num_negatives")])
def test_impossible_sizes_are_refused(num_items: int, num_negatives: int, named: str) -> None:
    with pytest.raises(ValueError, match=rf"{named} \({min(num_items, num_negatives)}\) must be at least"):
        Uniform(Catalogue(num_items=num_items), num_negatives=num_negatives)
