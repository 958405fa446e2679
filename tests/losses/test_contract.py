"""What every loss must do. A new loss's YAML is picked up by itself."""

import pytest
import torch
from grid import build, options, scored

from recsys.losses import RankingLoss


@pytest.fixture(params=options("loss"))
def loss(request: pytest.FixtureRequest) -> RankingLoss:
    return build("loss", request.param)


def test_one_value_per_position(loss: RankingLoss) -> None:
    assert loss(torch.randn(7, 5), scored(torch.zeros(7, dtype=torch.long), 5)).shape == (7,)


def test_the_loss_falls_when_the_positive_rises(loss: RankingLoss) -> None:
    logits = torch.zeros(1, 6)
    raised = logits.clone()
    raised[0, 2] = 3.0
    candidates = scored(torch.tensor([2]), 6)
    assert loss(raised, candidates) < loss(logits, candidates)


def test_value_and_grad_is_the_derivative_of_forward(loss: RankingLoss) -> None:
    logits, candidates = torch.randn(9, 6, requires_grad=True), scored(torch.randint(6, (9,)), 6)
    expected = loss(logits, candidates)
    (gradient,) = torch.autograd.grad(expected.sum(), logits)
    value, closed_form = loss.value_and_grad(logits.detach().clone(), candidates)
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(closed_form, gradient)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_gradients_are_finite_at_extreme_logits(loss: RankingLoss, size: float) -> None:
    logits = torch.tensor([[size, -size, 0.0]])
    for target in range(3):
        value, gradient = loss.value_and_grad(logits.clone(), scored(torch.tensor([target]), 3))
        assert value.isfinite().all()
        assert gradient.isfinite().all()


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
