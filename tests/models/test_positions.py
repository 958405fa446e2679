import math

import pytest
import torch
from grid import build

from recsys.data.catalogue import Catalogue
from recsys.models.positions import LearnedPositions, SinusoidalPositions

PLACES = torch.arange(4), torch.tensor([[4], [2]])
X = torch.zeros(2, 4, 3)


def numbered(*, from_end: bool) -> LearnedPositions:
    """Positions whose vector is their own number."""
    positions = LearnedPositions(dim=3, max_length=6, from_end=from_end)
    positions.weight.data = torch.arange(6.0)[:, None].expand(6, 3).clone()
    return positions


def test_from_the_left_the_oldest_item_is_0() -> None:
    assert numbered(from_end=False)(X, *PLACES)[..., 0].tolist() == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_from_the_end_the_latest_item_is_0_whatever_the_padding() -> None:
    assert numbered(from_end=True)(X, *PLACES)[..., 0].tolist() == [[3, 2, 1, 0], [1, 0, 0, 0]]


@pytest.mark.parametrize("dim", [6, 7])
def test_sinusoids_are_the_formula(dim: int) -> None:
    places = torch.arange(5), torch.tensor([[5]])
    waves = SinusoidalPositions(dim=dim, max_length=5, scale=0.5)(torch.zeros(1, 5, dim), *places)
    for position in range(5):
        for column in range(dim):
            angle = position / 10000 ** (column // 2 * 2 / dim)
            wave = math.cos(angle) if column % 2 else math.sin(angle)
            assert waves[0, position, column].item() == pytest.approx(0.5 * wave, abs=1e-6)


@pytest.mark.parametrize(
    "positions",
    [
        ("model/positions=learned", "model.positions.from_end=true"),
        ("model/positions=sinusoidal",),
        ("model/positions=sinusoidal", "model.positions.from_end=true"),
        ("model/positions=none",),
    ],
)
def test_padding_changes_nothing_under_any_choice(positions: tuple[str, ...]) -> None:
    model = build("model", "sasrec", "max_length=8", *positions)(Catalogue(num_items=9)).eval()
    tight, loose = torch.tensor([[3, 1]]), torch.tensor([[3, 1, 9, 9]])
    torch.testing.assert_close(model.encode(loose)[:, :2], model.encode(tight))


def test_without_positions_a_mean_over_equal_items_cannot_tell_where_it_stands() -> None:
    model = build("model", "sasrec", "max_length=8", "model/positions=none")(Catalogue(num_items=9)).eval()
    states = model.encode(torch.tensor([[4, 4, 4]]))
    torch.testing.assert_close(states[0, 0], states[0, 2])
