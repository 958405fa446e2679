"""Losses against closed forms written out in double precision."""

import math

import pytest
import torch
from grid import scored

from recsys.losses import BPR, BinaryCrossEntropy, CrossEntropy


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


LOGITS = torch.tensor([[0.3, -1.2, 2.0], [1.5, 0.1, -0.4]])
CANDIDATES = scored(torch.tensor([2, 0]), 3)


def test_bce_is_the_formula() -> None:
    expected = [
        -math.log(sigmoid(2.0)) - (math.log(1 - sigmoid(0.3)) + math.log(1 - sigmoid(-1.2))) / 2,
        -math.log(sigmoid(1.5)) - (math.log(1 - sigmoid(0.1)) + math.log(1 - sigmoid(-0.4))) / 2,
    ]
    assert BinaryCrossEntropy()(LOGITS, CANDIDATES).tolist() == pytest.approx(expected, rel=1e-6)


def test_bce_can_sum_its_negatives() -> None:
    expected = -math.log(sigmoid(2.0)) - math.log(1 - sigmoid(0.3)) - math.log(1 - sigmoid(-1.2))
    assert BinaryCrossEntropy(average_negatives=False)(LOGITS, CANDIDATES)[0].item() == pytest.approx(expected)


def test_ce_is_the_formula() -> None:
    expected = -2.0 + math.log(math.exp(0.3) + math.exp(-1.2) + math.exp(2.0))
    assert CrossEntropy()(LOGITS, CANDIDATES)[0].item() == pytest.approx(expected)


def test_bpr_is_the_formula() -> None:
    expected = -(math.log(sigmoid(2.0 - 0.3)) + math.log(sigmoid(2.0 + 1.2))) / 2
    assert BPR()(LOGITS, CANDIDATES)[0].item() == pytest.approx(expected)


def test_ce_over_one_negative_is_bpr() -> None:
    logits, candidates = torch.randn(50, 2), scored(torch.zeros(50, dtype=torch.long), 2)
    torch.testing.assert_close(CrossEntropy()(logits, candidates), BPR()(logits, candidates))


@pytest.mark.parametrize("loss", [BPR(), CrossEntropy()])
def test_a_constant_added_to_all_scores_changes_nothing(loss) -> None:
    torch.testing.assert_close(loss(LOGITS + 5, CANDIDATES), loss(LOGITS, CANDIDATES))


def test_bce_sees_a_constant() -> None:
    assert not torch.allclose(BinaryCrossEntropy()(LOGITS + 5, CANDIDATES), BinaryCrossEntropy()(LOGITS, CANDIDATES))


def test_bce_keeps_its_gradient_where_the_baseline_lost_it() -> None:
    """The baseline's log(1 - sigmoid(x) + 1e-24) has gradient 0 and loss 55.26 from x = 17 on in float32."""
    logits = torch.tensor([[0.0, 20.0]], requires_grad=True)
    value = BinaryCrossEntropy()(logits, scored(torch.tensor([0]), 2))
    value.sum().backward()
    assert value.item() == pytest.approx(math.log(2) + 20.0, rel=1e-6)
    assert logits.grad is not None
    assert logits.grad[0, 1].item() == pytest.approx(1.0)
