"""Softmax cross-entropy against the whole catalogue, in one piece where that is compiled."""

import ctypes

import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.candidates import Candidates
from recsys.kernels.library import call, require_memory, takes
from recsys.losses.base import RankingLoss
from recsys.parallel import WORKERS, call_each, even_ranges
from recsys.scoring.columns import BLOCK_NUMBERS
from recsys.scoring.table import ItemTable, total

PANEL = 48  # items that recsys/kernels/cross_entropy.c works on at a time
POSITIONS = 96  # and positions
LANES = 16  # what it takes D to be a multiple of
FEW = 512  # positions; fewer are not worth a copy of the table
A_CELL = 24  # logits that take about as long as other compiled code takes for a cell


def fuses(table: ItemTable, candidates: Candidates, loss: RankingLoss, *, rows: int, dtype: torch.dtype | None) -> bool:
    """Whether `cross_entropy` takes that, and faster than products do.

    rows: positions whose logits may be held at once. dtype: of the products, None: the table's.
    """
    whole = all(given is None for given in (candidates.items, candidates.own, candidates.removed, candidates.bonus))
    held = min(rows, BLOCK_NUMBERS // len(table.weight)) >= POSITIONS
    worth = loss.is_cross_entropy and len(candidates.target) >= FEW and dtype in (None, torch.float32)
    return whole and held and worth and takes(table.weight) and bool(call("multiplies_fast"))


def cross_entropy(
    queries: Tensor, table: ItemTable, target: Tensor, *, temperature: float
) -> tuple[Tensor, Tensor, ItemTable]:
    """-log softmax(x / temperature)[target] of each position, [N], and its gradients in queries [N, D] and the table.

    x: logits of queries [N, D] against the table [V, D]. In C (recsys/kernels/cross_entropy.c), 96 positions at a time
    on each thread: while most of their logits are in cache, as those of some thousands of items are, they become
    probabilities and both products of the gradient are made. On two cores of a Zen 4 with D = 64 and 12,000 positions
    it takes 75 to 80 % of the time of the same products by oneDNN with `softmax_` between them with V = 3,417; 90 %
    with 12,000, as long with 50,000.
    """
    num_items, dim = table.weight.shape
    if target.min() < 0 or target.max() >= num_items:
        raise IndexError(f"positives from {target.min()} to {target.max()}: items are 0 to {num_items - 1}")
    empty, beyond = -dim % LANES, -num_items % PANEL
    weight = (F.pad(table.weight, (0, empty)) if empty else table.weight).contiguous()
    across = F.pad(weight, (0, 0, 0, beyond)).view(-1, PANEL, dim + empty).transpose(1, 2).contiguous()
    bias = weight.new_zeros(num_items) if table.bias is None else table.bias / temperature
    bias = F.pad(bias, (0, beyond), value=-torch.inf)
    asked = F.pad(queries / temperature, (0, empty)).contiguous()

    value, to_queries = asked.new_empty(len(asked)), torch.empty_like(asked)
    parts = even_ranges(len(asked), step=_step(len(asked), len(bias), dim), cells=len(asked) * num_items // A_CELL)
    sums = [
        ItemTable(weight.new_zeros(len(bias), dim + empty), None if table.bias is None else torch.zeros_like(bias))
        for _ in parts
    ]
    size, given = _Catalogue(num_items, len(across), dim + empty), (asked, weight, across, bias, target.contiguous())
    memory = call_each(
        "cross_entropy",
        [(size, *cells, *given, value, to_queries, *into[:2]) for cells, into in zip(parts, sums, strict=True)],
    )
    require_memory(memory, what=f"the logits of {POSITIONS} positions for {num_items} items")

    found = total(sums)
    gradient = ItemTable(
        found.weight[:num_items, :dim], None if found.bias is None else found.bias[:num_items] / temperature
    )
    return value, to_queries[:, :dim] / temperature, gradient


def _step(count: int, num_items: int, dim: int) -> int:
    """Positions of a thread, at least: each has logits and a gradient of the table, and together not too many."""
    most = max(WORKERS, BLOCK_NUMBERS // (num_items * (POSITIONS + dim)))
    return POSITIONS * -(-count // (POSITIONS * most))


class _Catalogue(ctypes.Structure):
    """What cross_entropy.c calls a catalogue."""

    _fields_ = [("items", ctypes.c_int64), ("panels", ctypes.c_int64), ("size", ctypes.c_int64)]
