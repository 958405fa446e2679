"""Models joined batch by batch: against `Ensemble` over whole lists, and rows cut to what a member reads."""

import numpy as np
import pytest
import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.evaluation.fusion import POINTS
from recsys.recommending.joined import Joined, Member, shortened

NUM_ITEMS = 9


class Fixed:
    """Scores that depend on what is read."""

    def __init__(self, seed: int) -> None:
        self.table = torch.rand(NUM_ITEMS + 1, NUM_ITEMS, generator=torch.Generator().manual_seed(seed))

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.table[batch.items].sum(1)


def batch() -> EvalBatch:
    items = torch.tensor([[0, 1, 2, 3], [4, 5, 9, 9], [6, 9, 9, 9]])
    row, column = (items < NUM_ITEMS).nonzero(as_tuple=True)
    return EvalBatch(torch.tensor([70, 80, 90]), items, torch.empty(3, 0), row, items[row, column])


@pytest.mark.parametrize("how", sorted(POINTS))
@pytest.mark.parametrize("depth", [3, 100])
def test_scores_are_those_summed_by_hand(how: str, depth: int) -> None:
    members = [Member(Fixed(0), 4, 0.25), Member(Fixed(1), 2, 0.75)]
    found = Joined(members, points=POINTS[how], depth=depth, num_items=NUM_ITEMS).score_batch(batch()).numpy()
    rows = [[0, 1, 2, 3], [4, 5], [6]]
    expected = np.full((3, NUM_ITEMS), -np.inf)
    for user, row in enumerate(rows):
        for scorer, length, weight in members:
            padded = [*row[-length:], *[NUM_ITEMS] * (min(length, 4) - len(row[-length:]))]
            scores = scorer.table[padded].sum(0).numpy()  # pyright: ignore[reportAttributeAccessIssue]
            best = [item for item in np.argsort(-scores) if item not in row][:depth]
            kept = scores[best].astype(np.float64)
            for place, item in enumerate(best):
                reciprocal = 1 / (61 + place)
                points = {
                    "soft": (kept[place] - kept.min()) / (kept.max() - kept.min()),
                    "rank": reciprocal,
                    "hard": (place < 10) + reciprocal / 3600,
                }[how]
                expected[user, item] = max(expected[user, item], 0) + weight * points
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_rows_keep_their_last_items_and_times() -> None:
    times = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 0], [7, 0, 0, 0]])
    cut = shortened(batch()._replace(timestamps=times), 2, pad=NUM_ITEMS)
    assert cut.items.tolist() == [[2, 3], [4, 5], [6, 9]]
    assert cut.timestamps is not None
    assert cut.timestamps.tolist() == [[3, 4], [5, 6], [7, 0]]
    assert shortened(batch(), 4, pad=NUM_ITEMS).items.tolist() == batch().items.tolist()


def test_a_score_that_is_none_is_refused() -> None:
    broken = Fixed(0)
    broken.table[2] = torch.nan
    with pytest.raises(ValueError, match="a member scores items with numbers that are none"):
        Joined([Member(broken, 4, 1.0)], points=POINTS["rank"], depth=3, num_items=NUM_ITEMS).score_batch(batch())
