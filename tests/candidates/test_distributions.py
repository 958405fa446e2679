"""Draws against the probabilities they should follow: never more than five standard deviations away."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.candidates import Distribution, Popularity, Uniform
from recsys.candidates.popularity import alias_table
from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged

COUNTS = np.array([0, 1, 2, 5, 40, 0, 12])
ROWS = Ragged.from_rows([np.repeat(np.arange(7), COUNTS).tolist()])
CATALOGUE = Catalogue(num_items=7, train=ROWS)
CPU = torch.device("cpu")


def deviations(draws: torch.Tensor, probability: np.ndarray) -> np.ndarray:
    """How many standard deviations each item's count is from what is expected."""
    counts = np.bincount(draws.flatten().numpy(), minlength=len(probability))
    spread = np.sqrt(draws.numel() * probability * (1 - probability))
    return np.abs(counts - draws.numel() * probability) / np.maximum(spread, 1e-9)


@pytest.mark.parametrize(
    ("distribution", "weights"),
    [
        (Uniform(CATALOGUE), np.ones(7)),
        (Popularity(CATALOGUE), COUNTS),
        (Popularity(CATALOGUE, alpha=0.5), np.sqrt(COUNTS)),
        (Popularity(CATALOGUE, alpha=0.75, smoothing=1.0), (COUNTS + 1) ** 0.75),
        (Popularity(CATALOGUE, alpha=0.0), np.ones(7)),
    ],
)
def test_draws_follow_the_weights(distribution: Distribution, weights: np.ndarray) -> None:
    probability = weights / weights.sum()
    draws = distribution.draw((500, 400), CPU)
    assert draws.shape == (500, 400)
    assert (deviations(draws, probability) < 5).all()
    drawn = probability > 0
    np.testing.assert_allclose(distribution.log_probability().exp().numpy()[drawn], probability[drawn], rtol=1e-5)
    torch.testing.assert_close(distribution.expected_log_count(10), distribution.log_probability() + np.log(10))


def test_an_item_that_is_never_drawn_still_has_a_finite_correction() -> None:
    assert Popularity(CATALOGUE).log_probability().isfinite().all()


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40).filter(any))
@settings(max_examples=300, deadline=None)
def test_an_alias_table_holds_exactly_the_probabilities(weights: list[int]) -> None:
    """Small whole numbers tie often: a stretch that ends where another begins must not be counted twice."""
    probability = np.array(weights) / sum(weights)
    threshold, alias = alias_table(probability)
    assert ((threshold >= -1e-12) & (threshold <= 1)).all()
    held = threshold + np.bincount(alias, weights=1 - threshold, minlength=len(weights))
    np.testing.assert_allclose(held / len(weights), probability, atol=1e-12)


def test_an_alias_table_of_a_long_tail() -> None:
    probability = 1 / np.arange(1, 5001) ** 1.2
    probability = np.random.default_rng(0).permutation(probability / probability.sum())
    threshold, alias = alias_table(probability)
    held = threshold + np.bincount(alias, weights=1 - threshold, minlength=5000)
    np.testing.assert_allclose(held / 5000, probability, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"alpha": -0.5}, r"alpha \(-0.5\) must not be negative; set sampler.distribution.alpha=0 or more"),
        ({"smoothing": -1.0}, r"smoothing \(-1.0\) must not be negative"),
    ],
)
def test_impossible_weights_are_refused(arguments: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Popularity(CATALOGUE, **arguments)


def test_popularity_without_counts_is_refused() -> None:
    with pytest.raises(ValueError, match="popularity needs training counts"):
        Popularity(Catalogue(num_items=3))
