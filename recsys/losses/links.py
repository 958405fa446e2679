"""From logits to probabilities, row by row, in their place."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.kernels.library import call, takes
from recsys.parallel import WORKERS, call_each, even_ranges

LOG2_E = math.log2(math.e)
WIDE = 64  # logits of a row; the logarithm at the end of shorter ones takes longer than it saves
A_CELL = 64  # logits whose sigmoids take about as long as other compiled code takes for a cell


def sigmoid_(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The sigmoid [N, C], in the place of the logits, and sum_c log(1 + exp x_c), [N].

    In C (recsys/kernels/sigmoid.c), with one exponential for both and one logarithm for hundreds of logits.
    """
    if not (takes(logits) and logits.is_contiguous() and logits.shape[1] >= WIDE):
        return sigmoid_plainly_(logits)
    total, width = logits.new_empty(len(logits)), logits.shape[1]
    parts = even_ranges(len(logits), step=1, cells=logits.numel() // A_CELL)
    call_each("sigmoid_rows", [(logits[a:b], b - a, width, total[a:b]) for a, b in parts])
    return logits, total


def sigmoid_plainly_(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The same, torch operation by operation."""
    total = F.softplus(logits).sum(1)
    return logits.sigmoid_(), total


def softmax_(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The softmax [N, C], in the place of the logits, and log sum_c exp x_c, [N].

    In C (recsys/kernels/softmax.c): on one core of a Zen 4 in 60 % of the time of torch's operations, which more cores
    share.
    """
    if not (takes(logits) and logits.is_contiguous() and torch.get_num_threads() <= WORKERS):
        return softmax_plainly_(logits)
    level = logits.new_empty(len(logits))
    call("softmax_rows", logits, *logits.shape, level)
    return logits, level


def softmax_plainly_(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The same, torch operation by operation.

    By powers of two: on an AMD processor torch's exp2 takes a quarter of the time of its exp.
    """
    highest = logits.amax(1, keepdim=True)
    powers = torch.add(highest * -LOG2_E, logits, alpha=LOG2_E, out=logits).exp2_()
    total = powers.sum(1, keepdim=True)
    return powers.mul_(total.reciprocal()), (highest + total.log()).squeeze(1)
