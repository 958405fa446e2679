"""S3-Rec's comparison of a true pair's logit with a false pair's (Zhou et al., CIKM 2020). s is the sigmoid."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

Comparison = Callable[[Tensor, Tensor], Tensor]  # logits of true and of false pairs [N] -> losses [N]


def logistic_comparison(positive: Tensor, negative: Tensor) -> Tensor:
    """-log s(a - b): zero where the true pair is far ahead, linear where it is far behind."""
    return F.softplus(negative - positive)


def double_sigmoid_comparison(positive: Tensor, negative: Tensor) -> Tensor:
    """-log s(s(a) - s(b)), as the released code has it.

    The difference of two probabilities is in [-1, 1], so the loss is confined to [0.313, 1.313] and its gradient
    vanishes where both logits are large.
    """
    return F.softplus(negative.sigmoid() - positive.sigmoid())
