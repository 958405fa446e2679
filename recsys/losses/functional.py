"""Losses as plain functions: logits [N, C] and the positive's column target [N] -> [N], one value per position.

A candidate that does not count has logit -inf, and every function treats it as if its column were not there. A position
without any negative has nothing to compare: what is taken over its negatives is 0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

INFINITY = float("inf")


def counted(logits: Tensor) -> Tensor:
    """1 where a candidate counts and 0 where not, [N, C] float: booleans take four times as long to make and sum."""
    return torch.ne(logits.detach(), -INFINITY, out=torch.empty_like(logits, dtype=torch.float32, requires_grad=False))


def num_negatives(logits: Tensor) -> Tensor:
    """What a mean over negatives is divided by, [N] float; 1 where there is none, as their sum is 0 then."""
    return (counted(logits).sum(1) - 1).clamp(min=1)


def binary_cross_entropy(logits: Tensor, target: Tensor, positive_weight: Tensor, negative_weight: Tensor) -> Tensor:
    """-w+ log s(x+) - w- sum_k log(1 - s(x_k)), s the sigmoid; weights [N] or scalar.

    Written with softplus: `log(1 - s(x) + epsilon)` has a zero gradient for x >= 17.
    """
    column = target[:, None]  # [N, 1]
    positive = F.softplus(-logits.gather(1, column)).squeeze(1)  # [N]
    negative = F.softplus(logits.scatter(1, column, -INFINITY)).sum(1)  # [N]
    return positive_weight * positive + negative_weight * negative


def cross_entropy(logits: Tensor, target: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """-(1 - e) log p+ - e mean_c log p_c, p the softmax over the candidates, the positive included; e the smoothing."""
    value = F.cross_entropy(logits, target, reduction="none")
    if not label_smoothing:
        return value
    log_p = F.log_softmax(logits, dim=1)
    mean = log_p.masked_fill(logits == -INFINITY, 0).sum(1) / counted(logits).sum(1)
    return (1 - label_smoothing) * value - label_smoothing * mean


def bpr(logits: Tensor, target: Tensor) -> Tensor:
    """mean_k -log s(x+ - x_k) over the negatives."""
    column = target[:, None]  # [N, 1]
    margins = logits - logits.gather(1, column)  # [N, C]
    return F.softplus(margins.scatter(1, column, -INFINITY)).sum(1) / num_negatives(logits)


def bpr_max(logits: Tensor, target: Tensor, *, regularisation: float) -> Tensor:
    """-log sum_k p_k s(x+ - x_k) + regularisation * sum_k p_k x_k^2, p the softmax over the negatives."""
    positive, negatives, present = split(logits, target)
    log_p = F.log_softmax(negatives, dim=1)
    value = -torch.logsumexp(log_p + F.logsigmoid(positive - negatives), dim=1)
    penalty = (log_p.exp() * _finite(negatives).square()).sum(1)
    return (value + regularisation * penalty) * present


def top1_max(logits: Tensor, target: Tensor, *, regularisation: float) -> Tensor:
    """sum_k p_k (s(x_k - x+) + regularisation * s(x_k^2)), p the softmax over the negatives."""
    positive, negatives, present = split(logits, target)
    term = torch.sigmoid(negatives - positive) + regularisation * torch.sigmoid(_finite(negatives).square())
    return (torch.softmax(negatives, dim=1) * term).sum(1) * present


def split(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The positive's logit [N, 1]; the logits with -inf in its place [N, C]; whether a negative is left [N], 1 or 0.

    Where none is left the positive's place holds 0, so that a softmax over the negatives is finite.
    """
    column = target[:, None]  # [N, 1]
    negatives = logits.scatter(1, column, -INFINITY)
    absent = negatives.detach().amax(1, keepdim=True) == -INFINITY  # [N, 1]
    negatives = negatives.scatter(1, column, torch.where(absent, 0.0, -INFINITY).to(logits.dtype))
    return logits.gather(1, column), negatives, (~absent).squeeze(1).to(logits.dtype)


def _finite(negatives: Tensor) -> Tensor:
    """Their weight is 0, but 0 times infinity is not."""
    return negatives.masked_fill(negatives == -INFINITY, 0)
