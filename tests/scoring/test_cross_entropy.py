"""The compiled softmax cross-entropy against torch's own in double precision."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.candidates import Candidates
from recsys.kernels.library import FOLDER, call, library
from recsys.losses import BPR, CrossEntropy, RankingLoss
from recsys.scoring import ItemTable, mean_loss, plain_loss
from recsys.scoring.cross_entropy import FEW, PANEL, POSITIONS, cross_entropy, fuses

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler")
chosen = pytest.mark.skipif(
    library() is None or not call("multiplies_fast"), reason="torch's products are faster on this processor"
)

N, V, D = 600, 130, 20


class Halved(CrossEntropy):
    """A loss of one's own that begins with cross-entropy."""

    def value_and_grad(self, logits: torch.Tensor, candidates: Candidates) -> tuple[torch.Tensor, torch.Tensor]:
        value, gradient = super().value_and_grad(logits, candidates)
        return value / 2, gradient / 2


def made(count: int, num_items: int, dim: int) -> tuple[torch.Tensor, ItemTable, torch.Tensor]:
    table = ItemTable(torch.randn(num_items, dim), torch.randn(num_items))
    return torch.randn(count, dim), table, torch.randint(num_items, (count,))


def leaves(*tensors: torch.Tensor | None) -> list[torch.Tensor]:
    return [tensor.double().requires_grad_() for tensor in tensors if tensor is not None]


@settings(deadline=None, max_examples=60)
@example(96, 48, 16, True, 1.0)
@example(97, 49, 17, True, 0.5)
@example(192, 96, 64, False, 1.0)
@given(st.integers(1, 500), st.integers(1, 200), st.integers(1, 150), st.booleans(), st.sampled_from([0.5, 1.0, 4.0]))
def test_it_is_torchs_loss_with_its_gradients(
    count: int, num_items: int, dim: int, with_bias: bool, temperature: float
) -> None:
    torch.manual_seed(0)
    queries, table, target = made(count, num_items, dim)
    table = table if with_bias else table._replace(bias=None)
    value, to_queries, gradient = cross_entropy(queries, table, target, temperature=temperature)

    parts = leaves(queries, table.weight, table.bias)
    logits = (parts[0] @ parts[1].T + (parts[2] if with_bias else 0)) / temperature
    expected = F.cross_entropy(logits, target, reduction="none")
    error = 1e-6 * (1 + float(logits.detach().abs().max()))  # of a probability: float32's of its logit
    torch.testing.assert_close(value.double(), expected.detach(), atol=2 * error, rtol=1e-6)
    found = [to_queries, gradient.weight, *([] if gradient.bias is None else [gradient.bias])]
    for one, other in zip(found, torch.autograd.grad(expected.sum(), parts), strict=True):
        torch.testing.assert_close(one.double(), other, atol=10 * error, rtol=1e-4)


def test_threads_share_the_positions(threads: Callable[[int], None]) -> None:
    queries, table, target = made(5000, V, D)
    found = []
    for count in (1, 2, 3):
        threads(count)
        found.append(cross_entropy(queries, table, target, temperature=1.0))
    for value, to_queries, gradient in found[1:]:
        torch.testing.assert_close((value, to_queries), found[0][:2], atol=0, rtol=0)
        for one, other in zip(gradient[:2], found[0][2][:2], strict=True):
            torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-5)  # sums of 5,000


def test_no_more_threads_than_there_is_memory_for(
    threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = []
    monkeypatch.setattr("recsys.scoring.cross_entropy.call_each", lambda name, each: shared.append(len(each)) or [1])
    monkeypatch.setattr("recsys.parallel.has_threads", lambda: True)  # of another compiler there are two workers
    threads(8)
    for numbers in (2**26, 3 * 144 * (96 + D), 1):
        monkeypatch.setattr("recsys.scoring.cross_entropy.BLOCK_NUMBERS", numbers)
        cross_entropy(*made(5000, V, D), temperature=1.0)
    assert shared == [8, 3, 2]


def test_what_does_not_lie_side_by_side_is_taken_too() -> None:
    queries, weight, target = torch.randn(16, N).T, torch.randn(V, 32)[:, ::2], torch.randint(V, (2 * N,))[::2]
    found = cross_entropy(queries, ItemTable(weight, None), target, temperature=1.0)
    plain = cross_entropy(
        queries.contiguous(), ItemTable(weight.contiguous(), None), target.contiguous(), temperature=1.0
    )
    torch.testing.assert_close(found, plain)


def test_sizes_are_those_of_the_compiled_code() -> None:
    text = Path(FOLDER, "cross_entropy.c").read_text()
    assert f" POSITIONS = {POSITIONS}," in text
    assert f" PANEL = {PANEL}," in text


@pytest.mark.parametrize("wrong", [-1, V])
def test_a_positive_that_does_not_exist_is_refused(wrong: int) -> None:
    queries, table, target = made(N, V, D)
    target[-1] = wrong
    with pytest.raises(IndexError, match=f"positives from .*: items are 0 to {V - 1}"):
        cross_entropy(queries, table, target, temperature=1.0)


def test_large_logits_neither_overflow_nor_vanish() -> None:
    table = ItemTable(torch.tensor([[1e4], [-1e4], [0.0]]), None)
    value, to_queries, gradient = cross_entropy(torch.ones(1, 1), table, torch.tensor([2]), temperature=1.0)
    torch.testing.assert_close(value, torch.tensor([1e4]))
    torch.testing.assert_close(to_queries, torch.tensor([[1e4]]))
    torch.testing.assert_close(gradient.weight, torch.tensor([[1.0], [0.0], [-1.0]]))


def test_what_is_no_number_is_seen_in_its_position_alone() -> None:
    queries, table, target = made(200, V, D)
    queries[7, 3] = torch.nan
    value, to_queries, gradient = cross_entropy(queries, table, target, temperature=1.0)
    assert value.isnan().nonzero().flatten().tolist() == [7]
    assert to_queries.isnan().any(1).nonzero().flatten().tolist() == [7]
    assert gradient.weight.isnan().all()


def test_an_item_that_is_ruled_out_has_no_part() -> None:
    queries, table, _ = made(200, V, D)
    assert table.bias is not None
    table.bias[5] = -torch.inf
    value, to_queries, gradient = cross_entropy(queries, table, torch.zeros(200).long(), temperature=1.0)
    assert value.isfinite().all()
    assert to_queries.isfinite().all()
    assert gradient.bias is not None
    assert gradient.weight[5].tolist() == [0] * D
    assert gradient.bias[5] == 0


@chosen
def test_the_mean_loss_takes_it_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = CrossEntropy()
    table = ItemTable(torch.randn(V, D), None)
    whole = Candidates(None, torch.zeros(FEW).long(), V)

    def taken(
        table: ItemTable = table,
        candidates: Candidates = whole,
        loss: RankingLoss = plain,
        rows: int = 256,
        dtype: torch.dtype | None = None,
    ) -> bool:
        return fuses(table, candidates, loss, rows=rows, dtype=dtype)

    assert taken()
    assert taken(loss=CrossEntropy(temperature=0.5))
    assert not taken(loss=BPR())
    assert not taken(loss=CrossEntropy(label_smoothing=0.1))
    assert not taken(loss=Halved())
    assert not taken(dtype=torch.bfloat16)
    assert not taken(rows=POSITIONS - 1)
    assert not taken(table=ItemTable(table.weight.double(), None))
    assert not taken(table=ItemTable(torch.empty(700_000, 1), None))
    assert not taken(candidates=whole._replace(items=torch.arange(9)))
    assert not taken(candidates=whole._replace(removed=torch.zeros(FEW, V).bool()))
    assert not taken(candidates=whole._replace(bonus=torch.zeros(FEW)))
    assert not taken(candidates=whole.rows(slice(9)))
    smoothed = CrossEntropy()
    smoothed.label_smoothing = 0.1
    assert not taken(loss=smoothed)
    assert not taken(table=ItemTable(torch.empty(V, D, device="meta"), None))
    assert not taken(candidates=whole._replace(own=torch.zeros(FEW).long()))
    monkeypatch.setattr("recsys.scoring.cross_entropy.call", lambda _: 0)  # compiled for a processor without vectors
    assert not taken()


@chosen
@pytest.mark.parametrize("temperature", [1.0, 0.5])
@pytest.mark.parametrize("log_q", [None, torch.linspace(-3, 0, V)])
def test_the_mean_loss_and_its_gradients_are_the_plain_ones(temperature: float, log_q: torch.Tensor | None) -> None:
    queries, table, target = made(N, V, D)
    assert table.bias is not None
    parts = [queries.requires_grad_(), table.weight.requires_grad_(), table.bias.requires_grad_()]
    candidates, loss = Candidates(None, target, V, log_q=log_q), CrossEntropy(temperature=temperature)
    assert fuses(table, candidates, loss, rows=256, dtype=None)
    found = mean_loss(queries, table, candidates, loss, rows=256)
    expected = plain_loss(queries, table, candidates, loss)
    torch.testing.assert_close(found, expected)
    for one, other in zip(torch.autograd.grad(found, parts), torch.autograd.grad(expected, parts), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-4)
