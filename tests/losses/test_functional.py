"""Losses against closed forms written out in double precision."""

import math

import pytest
import torch
from grid import scored

from recsys.candidates import Candidates
from recsys.losses import (
    BPR,
    BinaryCrossEntropy,
    BPRMax,
    CrossEntropy,
    GeneralisedBinaryCrossEntropy,
    RankingLoss,
    TOP1Max,
)


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


def test_ce_smooths_over_all_candidates_as_torch_does() -> None:
    logits, target = torch.randn(20, 7), torch.randint(7, (20,))
    expected = torch.nn.functional.cross_entropy(logits, target, reduction="none", label_smoothing=0.2)
    torch.testing.assert_close(CrossEntropy(label_smoothing=0.2)(logits, scored(target, 7)), expected)


def test_ce_divides_by_its_temperature_in_training_and_in_probabilities() -> None:
    cold = CrossEntropy(temperature=0.5)
    torch.testing.assert_close(cold(LOGITS, CANDIDATES), CrossEntropy()(2 * LOGITS, CANDIDATES))
    torch.testing.assert_close(cold.predict_proba(LOGITS), torch.softmax(2 * LOGITS, dim=1))


@pytest.mark.parametrize(
    "loss", [CrossEntropy(label_smoothing=0.1), CrossEntropy(label_smoothing=0.3, temperature=0.2)]
)
def test_the_gradient_of_a_smoothed_ce_is_its_derivative(loss: CrossEntropy) -> None:
    logits = torch.randn(9, 6, dtype=torch.float64, requires_grad=True)
    removed = torch.tensor([[False, False, True, False, False, True]])
    candidates = Candidates(None, torch.tensor([0, 1, 3] * 3), 6, removed=removed.expand(9, -1))
    value = loss(candidates.adjust(logits), candidates)
    (slope,) = torch.autograd.grad(value.sum(), logits)
    closed = loss.value_and_grad(candidates.adjust(logits.detach()), candidates)
    torch.testing.assert_close(closed, (value.detach(), slope), check_dtype=False, rtol=1e-5, atol=1e-6)


def test_gbce_is_the_formula() -> None:
    """In double precision, as the paper writes it: two of four negatives at t = 0.75, so beta = 0.625."""
    beta = 0.5 * (0.75 * (1 - 1 / 0.5) + 1 / 0.5)
    expected = -(math.log(sigmoid(2.0) ** beta) + math.log(1 - sigmoid(0.3)) + math.log(1 - sigmoid(-1.2))) / 3
    loss = GeneralisedBinaryCrossEntropy(t=0.75)
    assert loss(LOGITS, CANDIDATES._replace(num_items=5))[0].item() == pytest.approx(expected)


@pytest.mark.parametrize(("t", "num_items"), [(0.75, 3), (1.0, 3), (0.0, 1000)])
def test_gbce_at_sampling_rate_one_or_uncalibrated_is_bce(t: float, num_items: int) -> None:
    plain = BinaryCrossEntropy(average_negatives=False)(LOGITS, CANDIDATES)
    general = GeneralisedBinaryCrossEntropy(t=t)(LOGITS, CANDIDATES._replace(num_items=num_items))
    torch.testing.assert_close(general, plain / 3)


def test_gbce_fully_calibrated_estimates_the_probability() -> None:
    """An item that is the next one in a share p of cases: under t = 1 the best score's sigmoid is p, under BCE not."""
    p, num_items, num_negatives = 0.2, 101, 10
    for t, expected in ((1.0, p), (0.0, p / (p + (1 - p) * num_negatives / (num_items - 1)))):
        rate = num_negatives / (num_items - 1)
        beta = 1 - t * (1 - rate)
        best = beta * p / (beta * p + rate * (1 - p))  # of -beta p log s - rate (1 - p) log(1 - s)
        assert best == pytest.approx(expected)
        score = torch.tensor([[math.log(best / (1 - best))] * (1 + num_negatives)], dtype=torch.float64)
        candidates = scored(torch.tensor([0]), num_items)
        gradient = GeneralisedBinaryCrossEntropy(t=t).value_and_grad(score, candidates)[1][0]
        assert (p * gradient[0] + rate * (1 - p) * gradient[1]).item() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("regularisation", [0.0, 1.0, 0.3])
def test_bpr_max_is_the_formula(regularisation: float) -> None:
    total = math.exp(0.3) + math.exp(-1.2)
    weights = {0.3: math.exp(0.3) / total, -1.2: math.exp(-1.2) / total}
    expected = -math.log(sum(weight * sigmoid(2.0 - x) for x, weight in weights.items()))
    expected += regularisation * sum(weight * x**2 for x, weight in weights.items())
    assert BPRMax(regularisation=regularisation)(LOGITS, CANDIDATES)[0].item() == pytest.approx(expected)


@pytest.mark.parametrize("regularisation", [0.0, 1.0, 0.3])
def test_top1_max_is_the_formula(regularisation: float) -> None:
    total = math.exp(0.3) + math.exp(-1.2)
    weights = {0.3: math.exp(0.3) / total, -1.2: math.exp(-1.2) / total}
    expected = sum(w * (sigmoid(x - 2.0) + regularisation * sigmoid(x**2)) for x, w in weights.items())
    assert TOP1Max(regularisation=regularisation)(LOGITS, CANDIDATES)[0].item() == pytest.approx(expected)


@pytest.mark.parametrize("other", [CrossEntropy(), BPRMax(regularisation=0.0)])
def test_over_one_negative_it_is_bpr(other: RankingLoss) -> None:
    logits, candidates = torch.randn(50, 2), scored(torch.zeros(50, dtype=torch.long), 2)
    torch.testing.assert_close(other(logits, candidates), BPR()(logits, candidates))


@pytest.mark.parametrize(
    "loss", [BPR(), CrossEntropy(), CrossEntropy(label_smoothing=0.1, temperature=2.0), BPRMax(regularisation=0.0)]
)
def test_a_constant_added_to_all_scores_changes_nothing(loss: RankingLoss) -> None:
    torch.testing.assert_close(loss(LOGITS + 5, CANDIDATES), loss(LOGITS, CANDIDATES))


@pytest.mark.parametrize("loss", [BinaryCrossEntropy(), GeneralisedBinaryCrossEntropy(), BPRMax(), TOP1Max()])
def test_a_constant_is_seen(loss: RankingLoss) -> None:
    assert not torch.allclose(loss(LOGITS + 5, CANDIDATES), loss(LOGITS, CANDIDATES))


def test_bce_keeps_its_gradient_where_the_baseline_lost_it() -> None:
    """The baseline's log(1 - sigmoid(x) + 1e-24) has gradient 0 and loss 55.26 from x = 17 on in float32."""
    logits = torch.tensor([[0.0, 20.0]], requires_grad=True)
    value = BinaryCrossEntropy()(logits, scored(torch.tensor([0]), 2))
    value.sum().backward()
    assert value.item() == pytest.approx(math.log(2) + 20.0, rel=1e-6)
    assert logits.grad is not None
    assert logits.grad[0, 1].item() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: GeneralisedBinaryCrossEntropy(t=1.5), r"t \(1.5\) must be from 0 to 1"),
        (lambda: CrossEntropy(label_smoothing=1.0), r"label_smoothing \(1.0\) must be at least 0 and below 1"),
        (lambda: CrossEntropy(temperature=0.0), r"temperature \(0.0\) must be above 0"),
        (lambda: BPRMax(regularisation=-1.0), r"regularisation \(-1.0\) must not be negative"),
        (lambda: TOP1Max(regularisation=-1.0), r"regularisation \(-1.0\) must not be negative"),
    ],
)
def test_impossible_arguments_are_refused(make, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()
