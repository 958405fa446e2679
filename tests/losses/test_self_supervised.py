"""S3-Rec's comparison, right and as released, against the formulas written out."""

import math

import pytest
import torch

from recsys.losses.self_supervised import double_sigmoid_comparison, logistic_comparison


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


POSITIVE, NEGATIVE = torch.tensor([0.3, -2.0, 5.0]), torch.tensor([1.1, -2.0, -4.0])


def test_the_right_one_compares_logits() -> None:
    expected = [-math.log(sigmoid(a - b)) for a, b in zip(POSITIVE.tolist(), NEGATIVE.tolist(), strict=True)]
    assert logistic_comparison(POSITIVE, NEGATIVE).tolist() == pytest.approx(expected, rel=1e-5)


def test_as_released_it_is_torchs_bce_of_a_sigmoid_of_sigmoids() -> None:
    distance = torch.sigmoid(torch.sigmoid(POSITIVE) - torch.sigmoid(NEGATIVE))
    expected = torch.nn.functional.binary_cross_entropy(distance, torch.ones(3), reduction="none")
    torch.testing.assert_close(double_sigmoid_comparison(POSITIVE, NEGATIVE), expected)


def test_the_double_sigmoid_is_confined_and_the_default_is_not() -> None:
    """The baseline's loss could neither reach 0 nor tell how wrong a pair is."""
    far = torch.tensor([-60.0, 60.0])
    assert double_sigmoid_comparison(far, -far).tolist() == pytest.approx([1.3133, 0.3133], abs=1e-4)
    assert logistic_comparison(far, -far).tolist() == pytest.approx([120.0, 0.0])


def test_a_pair_that_is_wrong_by_far_still_pulls() -> None:
    """log(1 - s(x) + epsilon) and the double sigmoid have no gradient there."""
    positive = torch.tensor([-60.0], requires_grad=True)
    for comparison, slope in ((logistic_comparison, -1.0), (double_sigmoid_comparison, 0.0)):
        (gradient,) = torch.autograd.grad(comparison(positive, -positive.detach()).sum(), positive)
        assert gradient.item() == pytest.approx(slope)
