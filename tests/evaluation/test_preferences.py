"""Missing values against true negatives: AUC against scikit-learn, draws against counting one by one."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from recsys.candidates import FullCatalogue, PerPosition
from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators import NextItem
from recsys.data.datamodule import SequenceDataModule
from recsys.data.sequences import UserSequences
from recsys.data.splits import HiddenPositives, Labelled, Split
from recsys.evaluation.preferences import (
    Kind,
    Kinds,
    auc_per_user,
    drawn,
    moments,
    sampled,
    win_share,
)

NUM_ITEMS = 30


class ByHistory:
    """Scores that depend on the user, the item and the length of the input; few values, so that there are ties."""

    def score_batch(self, batch: EvalBatch) -> Tensor:
        lengths = (batch.items < NUM_ITEMS).sum(1)
        return torch.stack([table(int(u), int(n)) for u, n in zip(batch.users, lengths, strict=True)])


def table(user: int, length: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng((user, length)).integers(0, 6, NUM_ITEMS)).float()


@pytest.fixture
def data() -> UserSequences:
    rng = np.random.default_rng(0)
    rows = [
        (user, int(item), float(rng.integers(1, 6)), time)
        for user in range(15)
        for time, item in enumerate(rng.permutation(NUM_ITEMS)[: rng.integers(8, 20)])
    ]
    rows += [(99, item, 5.0, item) for item in range(NUM_ITEMS)]  # so that every item exists
    return UserSequences.from_frame(pd.DataFrame(rows, columns=["user", "item", "rating", "timestamp"]), name="toy")


@pytest.fixture
def parts(data: UserSequences) -> tuple[Split, Labelled, Kinds]:
    splitter = HiddenPositives(hidden=0.4)
    split, labelled = splitter(data), splitter.labelled(data)
    return split, labelled, Kinds(labelled, split=split, num_items=NUM_ITEMS)


def sets(split: Split, labelled: Labelled, user: int) -> dict[Kind, set[int]]:
    def targets(part) -> set[int]:
        return {int(part.targets.row(r)[0]) for r in np.flatnonzero(part.users == user)}

    found = {
        Kind.OBSERVED: set(split.train.row(user).tolist()),
        Kind.MISSING: targets(labelled.missing),
        Kind.DISLIKED: targets(labelled.disliked),
        Kind.HELD_OUT: targets(split.valid) | targets(split.test),
    }
    return found | {Kind.UNRATED: set(range(NUM_ITEMS)) - set().union(*found.values())}


def test_each_item_is_of_one_kind_to_a_user(parts: tuple[Split, Labelled, Kinds]) -> None:
    split, labelled, kinds = parts
    for user in range(split.train.num_rows):
        [row] = kinds.of(torch.tensor([user])).tolist()
        assert {kind: {i for i, k in enumerate(row) if k == kind} for kind in Kind} == sets(split, labelled, user)


def test_a_share_of_wins_is_the_area_under_the_curve() -> None:
    scores = torch.randint(0, 5, (20, NUM_ITEMS)).float()
    items, opponents = torch.randint(0, NUM_ITEMS, (20,)), torch.rand(20, NUM_ITEMS) < 0.4
    opponents[torch.arange(20), items] = False
    opponents[7] = False
    found = win_share(scores, items, opponents)
    assert found[7].isnan()
    for row in set(range(20)) - {7}:
        others = scores[row][opponents[row]].tolist()
        truth = roc_auc_score([1] + [0] * len(others), [float(scores[row, items[row]]), *others])
        assert float(found[row]) == pytest.approx(truth)


def test_auc_of_each_user_is_that_of_scikit_learn_at_each_moment(parts: tuple[Split, Labelled, Kinds]) -> None:
    split, labelled, kinds = parts
    questions = sampled(labelled.missing, per_user=100, seed=0)
    found = auc_per_user(moments(ByHistory(), questions, Kind.MISSING, kinds, max_length=50))
    assert list(found) == ["missing_over_disliked", "missing_over_unrated"]
    truth: dict[int, list[float]] = {}
    for row, user in enumerate(questions.users.tolist()):
        scores, item = table(user, int(questions.inputs.lengths[row])), int(questions.targets.row(row)[0])
        if disliked := sorted(sets(split, labelled, user)[Kind.DISLIKED]):
            labels, values = [1] + [0] * len(disliked), scores[[item, *disliked]]
            truth.setdefault(user, []).append(float(roc_auc_score(labels, values)))
    expected = {user: np.mean(values) for user, values in truth.items()}
    assert found["missing_over_disliked"].dropna().to_dict() == pytest.approx(expected)


def test_probabilities_are_those_of_the_link(parts: tuple[Split, Labelled, Kinds]) -> None:
    _, labelled, kinds = parts
    questions = sampled(labelled.disliked, per_user=2, seed=0)
    found = moments(ByHistory(), questions, Kind.DISLIKED, kinds, max_length=50, link=torch.sigmoid)
    truth = [
        torch.sigmoid(table(int(user), int(questions.inputs.lengths[row]))[int(questions.targets.row(row)[0])])
        for row, user in enumerate(questions.users)
    ]
    assert sorted(found.probabilities) == pytest.approx(sorted(map(float, truth)))
    assert np.isnan(moments(ByHistory(), questions, Kind.DISLIKED, kinds, max_length=50).probabilities).all()


def test_a_sample_has_a_few_of_each_user_and_no_empty_input(parts: tuple[Split, Labelled, Kinds]) -> None:
    _, labelled, _ = parts
    few = sampled(labelled.observed, per_user=2, seed=3)
    assert np.unique(few.users, return_counts=True)[1].max() == 2
    assert few.inputs.lengths.min() >= 1
    again, other = (sampled(labelled.observed, per_user=2, seed=seed) for seed in (3, 4))
    np.testing.assert_array_equal(again.targets.flat(), few.targets.flat())
    assert not np.array_equal(other.targets.flat(), few.targets.flat())
    everything = sampled(labelled.observed, per_user=1000, seed=0)
    assert len(everything.users) == (labelled.observed.inputs.lengths > 0).sum()


@pytest.mark.parametrize("full", [True, False])
def test_shares_of_the_draws_are_those_of_counting(parts: tuple[Split, Labelled, Kinds], full: bool) -> None:
    split, labelled, kinds = parts
    catalogue = Catalogue(num_items=NUM_ITEMS, train=split.train)
    sampler = FullCatalogue(catalogue) if full else PerPosition(catalogue, num_negatives=400)
    collator = NextItem(num_items=NUM_ITEMS, max_length=50)
    loader = SequenceDataModule(
        split, num_items=NUM_ITEMS, max_length=50, collator=collator, batch_size=4, eval_batch_size=4, pool=1, seed=0
    ).train_dataloader()
    found = drawn(sampler, iter(loader), kinds)
    counts = dict.fromkeys(Kind, 0.0)
    for user in range(split.train.num_rows):
        mine = sets(split, labelled, user)
        for positive in split.train.row(user)[1:].tolist():  # each is a positive; the rest of the catalogue is drawn
            for kind, items in mine.items():
                counts[kind] += len(items - {positive})
    total = sum(counts.values())
    expected = {kind.name.lower(): count / total for kind, count in counts.items()}
    assert found.shares == pytest.approx(expected, abs=1e-12 if full else 0.01)
    assert found.false_negatives == pytest.approx(
        expected["missing"] + expected["held_out"] + expected["observed"], abs=1e-12 if full else 0.01
    )
