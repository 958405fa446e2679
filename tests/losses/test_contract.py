"""What every loss must do. A new loss's YAML is picked up by itself."""

import pytest
import torch
from grid import build, options, scored

from recsys.candidates import Candidates
from recsys.losses import RankingLoss


@pytest.fixture(params=options("loss"), scope="module")
def loss(request: pytest.FixtureRequest) -> RankingLoss:
    return build("loss", request.param)


def with_gradient(loss: RankingLoss, logits: torch.Tensor, candidates: Candidates) -> tuple[torch.Tensor, torch.Tensor]:
    """The losses, and their gradient by autograd."""
    leaf = logits.clone().requires_grad_()
    value = loss(leaf, candidates)
    return value.detach(), torch.autograd.grad(value.sum(), leaf)[0]


def test_one_value_per_position(loss: RankingLoss) -> None:
    assert loss(torch.randn(7, 5), scored(torch.zeros(7, dtype=torch.long), 5)).shape == (7,)


def test_the_loss_falls_when_the_positive_rises(loss: RankingLoss) -> None:
    logits = torch.zeros(1, 6)
    raised = logits.clone()
    raised[0, 2] = 3.0
    candidates = scored(torch.tensor([2]), 6)
    assert loss(raised, candidates) < loss(logits, candidates)


@pytest.mark.parametrize("size", [0.1, 1.0, 10.0])
def test_value_and_grad_is_the_derivative_of_forward(loss: RankingLoss, size: float) -> None:
    logits, candidates = size * torch.randn(90, 6), scored(torch.randint(6, (90,)), 20)
    logits[:, 1:] = logits[:, 1:].masked_fill(torch.rand(90, 5) < 0.3, -torch.inf)
    logits[torch.arange(90), candidates.target] = size * torch.randn(90)
    value, gradient = with_gradient(loss, logits, candidates)
    closed_form = loss.value_and_grad(logits.clone(), candidates)
    torch.testing.assert_close(closed_form, (value, gradient), rtol=1e-4, atol=1e-5)


def test_a_removed_negative_is_as_good_as_absent(loss: RankingLoss) -> None:
    logits, target = torch.randn(9, 8), torch.randint(3, (9,))
    removed = torch.tensor([False] * 3 + [True, False, True, True, False]).expand(9, -1)
    candidates = Candidates(None, target, 20, removed=removed)
    left = logits[:, ~removed[0]]
    expected, slope = with_gradient(loss, left, candidates._replace(removed=None))
    with_removed = candidates.adjust(logits)
    for value, gradient in (
        with_gradient(loss, with_removed, candidates),
        loss.value_and_grad(with_removed.clone(), candidates),
    ):
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(gradient[:, ~removed[0]], slope)
        assert (gradient[:, removed[0]] == 0).all()


def test_a_position_without_negatives_is_harmless(loss: RankingLoss) -> None:
    logits = torch.tensor([[0.5, -torch.inf, -torch.inf], [0.5, 1.0, -torch.inf]])
    candidates = scored(torch.tensor([0, 0]), 3)
    for value, gradient in (with_gradient(loss, logits, candidates), loss.value_and_grad(logits.clone(), candidates)):
        assert value.isfinite().all()
        assert gradient.isfinite().all()
        alone, _ = with_gradient(loss, logits[1:, :2], scored(torch.tensor([0]), 3))
        torch.testing.assert_close(value[1:], alone)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_gradients_are_finite_at_extreme_logits(loss: RankingLoss, size: float) -> None:
    logits = torch.tensor([[size, -size, 0.0]])
    for target in range(3):
        candidates = scored(torch.tensor([target]), 3)
        expected = with_gradient(loss, logits, candidates)
        assert all(part.isfinite().all() for part in expected)
        torch.testing.assert_close(loss.value_and_grad(logits.clone(), candidates), expected, rtol=1e-3, atol=1e-5)


def test_the_order_of_negatives_changes_nothing(loss: RankingLoss) -> None:
    logits = torch.randn(4, 8)
    shuffled = torch.cat([logits[:, :1], logits[:, 1:].flip(1)], dim=1)
    candidates = scored(torch.zeros(4, dtype=torch.long), 8)
    torch.testing.assert_close(loss(logits, candidates), loss(shuffled, candidates))


def test_probabilities_or_a_refusal(loss: RankingLoss) -> None:
    logits = torch.randn(3, 4)
    if loss.link is None:
        with pytest.raises(ValueError, match="defines no probability"):
            loss.predict_proba(logits)
    else:
        probability = loss.predict_proba(logits)
        assert ((probability >= 0) & (probability <= 1)).all()
