"""What RecBole's models are trained for, beside losses and models of our own."""

import numpy as np
import pytest
import torch
from recbole_toys import CATALOGUE, LENGTH, NUM_ITEMS, ROWS, ask, make

from recsys.candidates import Candidates
from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.data.collators import NextItem
from recsys.data.collators.restricted import Restricted
from recsys.data.ragged import Ragged
from recsys.models.ease import EASE
from recsys.models.popularity import Popularity
from recsys.models.recbole.all_positions import check_all_positions
from recsys.models.recbole.inputs import Histories, Pairs

pytest.importorskip("recbole", reason="RecBole has no release for this version of Python")


def test_ease_is_ours() -> None:
    batch = ask()
    ours, theirs = EASE(CATALOGUE, l2=2.0), make("EASE", reg_weight=2.0)
    ours.fit()
    questions = ask()._replace(seen_rows=torch.from_numpy(ROWS.row_ids()), seen_items=torch.from_numpy(ROWS.flat()))
    torch.testing.assert_close(theirs.score_batch(batch), ours.score_batch(questions), atol=1e-5, rtol=1e-4)


def test_popularity_is_ours_but_that_an_item_counts_once_in_a_batch() -> None:
    pop, counted, users = Popularity(CATALOGUE), make("Pop"), Pairs().samples(ROWS)
    pop.fit()
    collate = Pairs().collator(num_items=NUM_ITEMS, max_length=LENGTH)
    for number in range(len(users.users)):
        one = np.array([number])
        counted.objective(collate(users.users[one], users.rows.take(one)), None)
    expected = pop.score_batch(ask())
    torch.testing.assert_close(counted.score_batch(ask()), expected / expected.max())
    counted.objective(collate(*users), None)
    assert counted.wrapped.item_cnt.sum() == len(ROWS.flat()) + len(np.unique(ROWS.flat()))


def test_a_loss_of_pairs_is_bpr_over_the_samplers_negatives() -> None:
    model = make("BPR")
    users, rows = Pairs().samples(ROWS)
    batch = Pairs().collator(num_items=NUM_ITEMS, max_length=LENGTH)(users, rows)
    negatives = torch.arange(2 * len(users)).view(-1, 2) % NUM_ITEMS
    candidates = Candidates(
        torch.cat([batch.positives[:, None], negatives], 1), torch.zeros_like(batch.positives), NUM_ITEMS
    )
    assert model.needs_candidates
    scores = model.eval().score_batch(ask())[batch.users]
    margins = scores.gather(1, batch.positives[:, None]) - scores.gather(1, negatives)
    expected = -torch.log(1e-10 + torch.sigmoid(margins)).mean()  # RecBole's gamma
    torch.testing.assert_close(model.objective(batch, candidates), expected)


@pytest.mark.parametrize("name", ["GRU4Rec", "SASRec"])
def test_all_positions_at_once_lose_what_the_prefixes_lose(name: str) -> None:
    rows = Ragged.from_rows([[3, 1, 4, 7, 5], [2, 8, 6]])
    catalogue = Catalogue(num_items=NUM_ITEMS, train=rows)
    model = make(name, catalogue).eval()
    users, prefixes = Histories().samples(rows)
    one_by_one = Histories().collator(num_items=NUM_ITEMS, max_length=LENGTH)(users, prefixes)
    together = NextItem(num_items=NUM_ITEMS, max_length=LENGTH)(np.arange(2), rows)
    loss = model.objective_of_all_positions(together, None)
    torch.testing.assert_close(loss, model.objective(one_by_one, None), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["NARM", "STAMP", "BERT4Rec", "HGN", "SASRecCPR", "GRU4RecCPR", "BPR", "FM"])
def test_a_model_that_cannot_be_trained_at_all_positions_says_so(name: str) -> None:
    with pytest.raises(ValueError, match=f"RecBole's {name} cannot be trained at all positions at once"):
        check_all_positions(make(name).wrapped)


def test_all_positions_with_more_negatives_lose_the_mean_over_each_of_them() -> None:
    model = make("SASRec", loss_type="BPR").eval()
    batch = NextItem(num_items=NUM_ITEMS, max_length=LENGTH)(np.array([0, 1, 3]), ROWS)
    items = torch.cat([batch.positives[:, None], torch.arange(3 * len(batch.positives)).view(-1, 3) % NUM_ITEMS], 1)
    target = torch.zeros_like(batch.positives)
    one_by_one = [
        model.objective_of_all_positions(batch, Candidates(items[:, [0, column]], target, NUM_ITEMS))
        for column in (1, 2, 3)
    ]
    together = model.objective_of_all_positions(batch, Candidates(items, target, NUM_ITEMS))
    torch.testing.assert_close(together, torch.stack(one_by_one).mean())


@pytest.mark.parametrize("name", ["SASRec", "BPR"])
def test_rows_without_a_target_bear_no_loss(name: str) -> None:
    model = make(name).eval()
    users, rows = model.inputs.samples(ROWS)
    collate = model.inputs.collator(num_items=NUM_ITEMS, max_length=LENGTH)
    pairs = np.array([3 * NUM_ITEMS + 2, 3 * NUM_ITEMS + 4])  # user 3's items 2 and 4
    some = Restricted(collate, pairs=pairs, num_items=NUM_ITEMS)(users, rows)
    chosen = np.flatnonzero(np.isin(users * NUM_ITEMS + np.array([rows.row(i)[-1] for i in range(len(users))]), pairs))
    alone = collate(users[chosen], rows.take(chosen))

    def loss(batch: TrainBatch) -> torch.Tensor:
        items = torch.stack([batch.positives, torch.full_like(batch.positives, 11)], 1)
        candidates = Candidates(items, torch.zeros_like(batch.positives), NUM_ITEMS)
        return model.objective(batch, candidates if model.needs_candidates else None)

    torch.testing.assert_close(loss(some), loss(alone))


def test_dgcf_samples_no_more_than_there_is() -> None:
    model = make("DGCF", embedding_size=8)
    users, rows = Pairs().samples(ROWS)
    batch = Pairs().collator(num_items=NUM_ITEMS, max_length=LENGTH)(users, rows)
    items = torch.stack([batch.positives, (batch.positives + 1) % NUM_ITEMS], 1)
    assert model.objective(batch, Candidates(items, torch.zeros_like(batch.positives), NUM_ITEMS)).isfinite()
