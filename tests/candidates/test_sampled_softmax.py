"""Cross-entropy over sampled candidates against cross-entropy over the catalogue."""

from functools import partial

import numpy as np
import pytest
import torch

from recsys.candidates import (
    Candidates,
    FullCatalogue,
    InBatch,
    Nothing,
    PerPosition,
    Popularity,
    Positive,
    SharedNegatives,
    TrainItems,
    TruncatedSequence,
    Uniform,
)
from recsys.data.catalogue import Catalogue
from recsys.data.collators import NextItem
from recsys.data.ragged import Ragged
from recsys.losses import CrossEntropy, RankingLoss
from recsys.scoring import ItemTable, plain_loss

V, D = 12, 4
ROWS = Ragged.from_rows([[*range(V), 0, 0, 0, 1, 1, 2], [3, 0, 1]])
CATALOGUE = Catalogue(num_items=V, train=ROWS)
BATCH = NextItem(num_items=V, max_length=30)(np.arange(2), ROWS)
POSITIVES = BATCH.targets[BATCH.target_mask]
N = len(POSITIVES)


def loss_and_gradients(
    queries: torch.Tensor, table: ItemTable, candidates: Candidates, loss: RankingLoss | None = None
) -> list[torch.Tensor]:
    leaves = [queries.clone().requires_grad_(), table.weight.clone().requires_grad_()]
    value = plain_loss(leaves[0], ItemTable(leaves[1], None), candidates, loss or CrossEntropy())
    return [value, *torch.autograd.grad(value, leaves)]


def test_over_every_item_it_is_the_full_cross_entropy() -> None:
    queries, table = torch.randn(N, D), ItemTable(torch.randn(V, D), None)
    full = loss_and_gradients(queries, table, FullCatalogue(CATALOGUE)(POSITIVES, BATCH))
    shuffled = torch.randperm(V)
    uniform = torch.full((V,), -3.0)  # one probability for all
    others = torch.stack([torch.cat([p[None], shuffled[shuffled != p]]) for p in POSITIVES])
    for candidates in (
        Candidates(shuffled, shuffled.argsort()[POSITIVES], V, log_q=uniform),
        Candidates(others, torch.zeros_like(POSITIVES), V, log_q=uniform),
        Candidates(shuffled, torch.zeros_like(POSITIVES), V, own=POSITIVES, log_q=uniform,
                   removed=torch.nn.functional.pad(shuffled == POSITIVES[:, None], (1, 0))),
        InBatch(CATALOGUE)(POSITIVES.new_tensor([*range(V)]).repeat(2)[:N], BATCH)._replace(target=POSITIVES),
    ):  # fmt: skip
        torch.testing.assert_close(loss_and_gradients(queries, table, candidates), full)


@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("exclude", [Nothing, Positive, TruncatedSequence, TrainItems])
@pytest.mark.parametrize("distribution", [Popularity, Uniform])
@pytest.mark.parametrize("sampler", [PerPosition, SharedNegatives])
def test_with_many_draws_the_corrected_gradient_is_that_of_the_full_softmax(
    sampler: type, distribution: type, exclude: type, temperature: float
) -> None:
    queries, table, loss = (
        torch.randn(N, D),
        ItemTable(torch.randn(V, D) / 2, None),
        CrossEntropy(temperature=temperature),
    )
    allowed = FullCatalogue(CATALOGUE)(POSITIVES, BATCH)
    if exclude not in (Nothing, Positive):  # the softmax over the positive and what is not excluded
        others = torch.arange(V) != POSITIVES[:, None]
        allowed = allowed._replace(removed=exclude(CATALOGUE)(POSITIVES, BATCH).everywhere(torch.arange(V)) & others)
    full = loss_and_gradients(queries, table, allowed, loss)[2]
    drawn = partial(sampler, CATALOGUE, num_negatives=20_000, distribution=distribution, exclude=exclude)
    corrected = loss_and_gradients(queries, table, drawn(log_q=True)(POSITIVES, BATCH), loss)[2]
    assert (corrected - full).norm() < 0.03 * full.norm()


def test_uncorrected_popular_draws_estimate_something_else() -> None:
    queries, table = torch.randn(N, D), ItemTable(torch.randn(V, D) / 2, None)
    full = loss_and_gradients(queries, table, FullCatalogue(CATALOGUE)(POSITIVES, BATCH))[2]
    popular = PerPosition(CATALOGUE, num_negatives=20_000, distribution=Popularity, exclude=Nothing)
    uncorrected = loss_and_gradients(queries, table, popular(POSITIVES, BATCH))[2]
    assert (uncorrected - full).norm() > 0.1 * full.norm()
