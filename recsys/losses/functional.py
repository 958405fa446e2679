"""Losses as plain functions: logits [N, C] and the positive's column target [N] -> [N], one value per position."""

import torch.nn.functional as F
from torch import Tensor


def binary_cross_entropy(logits: Tensor, target: Tensor, *, average_negatives: bool) -> Tensor:
    """-log s(x+) - reduce_k log(1 - s(x_k)), s the sigmoid, reduced over the C - 1 negatives by mean or sum.

    Written with softplus: `log(1 - s(x) + epsilon)` has a zero gradient for x >= 17.
    """
    column = target[:, None]  # [N, 1]
    positive = F.softplus(-logits.gather(1, column))  # [N, 1]
    negative = F.softplus(logits.scatter(1, column, -float("inf"))).sum(1)  # [N]
    return positive.squeeze(1) + negative / ((logits.shape[1] - 1) if average_negatives else 1)


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """-x+ + log sum_c exp x_c, the softmax over the C candidates, the positive included."""
    return F.cross_entropy(logits, target, reduction="none")


def bpr(logits: Tensor, target: Tensor) -> Tensor:
    """mean_k -log s(x+ - x_k) over the C - 1 negatives."""
    column = target[:, None]  # [N, 1]
    margins = logits - logits.gather(1, column)  # [N, C]
    return F.softplus(margins.scatter(1, column, -float("inf"))).sum(1) / (logits.shape[1] - 1)
