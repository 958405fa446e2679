"""Parts on two workers against the same parts one after the other."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from recsys import parallel
from recsys.draws import drawing_from
from recsys.models.dropout import Dropout
from recsys.parallel import on_workers, side_by_side


@pytest.fixture(autouse=True)
def two_threads(threads: Callable[[int], None]) -> None:
    threads(2)


class Encoder(nn.Module):
    def __init__(self, *, dropout: float = 0.0, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(20, 8, sparse=sparse)
        self.linear = nn.Linear(8, 8)
        self.unused = nn.Linear(3, 3)
        self.dropout = Dropout(dropout)

    def forward(self, items: Tensor) -> Tensor:
        return self.linear(self.dropout(self.embedding(items))).flatten(0, 1)


def test_a_worker_has_no_workers_under_it() -> None:
    inner = on_workers(lambda _: (parallel.num_workers(), parallel.ranges([5000] * 4)), [0, 1])
    assert inner == [(1, [(0, 4)])] * 2


def test_ranges_are_of_about_the_same_cost_and_worth_a_thread() -> None:
    assert parallel.ranges([5000] * 4) == [(0, 2), (2, 4)]
    assert parallel.ranges([5000, 100, 100, 100]) == [(0, 1), (1, 4)]
    assert parallel.ranges([100, 100, 100, 5000]) == [(0, 3), (3, 4)]
    assert parallel.ranges([9000]) == [(0, 1)]
    assert parallel.ranges([5] * 4) == [(0, 4)]
    assert parallel.ranges([]) == [(0, 0)]
    assert parallel.even_ranges(5000, step=64, cells=5000) == [(0, 2560), (2560, 5000)]
    assert parallel.even_ranges(70, step=64, cells=70) == [(0, 70)]
    assert parallel.even_ranges(0, step=64, cells=0) == [(0, 0)]


def test_workers_share_the_threads_however_often_they_are_made() -> None:
    for _ in range(20):
        parallel._pool.cache_clear()
        assert on_workers(lambda _: torch.get_num_threads(), [0, 1]) == [1, 1]
        assert torch.get_num_threads() == 2


def parts() -> list[Tensor]:
    torch.manual_seed(1)
    return [torch.randint(20, shape) for shape in ((30, 40), (50, 30), (20, 90), (5, 100))]


def run(encoder: Encoder, given: list[Tensor]) -> Tensor:
    costs = [part.numel() for part in given]
    return side_by_side(encoder, given, costs=costs, parameters=encoder.parameters())


@pytest.mark.parametrize("sparse", [False, True])
def test_outputs_and_gradients_are_those_of_one_part_after_the_other(sparse: bool) -> None:
    encoder, given = Encoder(sparse=sparse), parts()
    expected = torch.cat([encoder(part) for part in given])
    weight = torch.randn_like(expected)
    trained = [*encoder.embedding.parameters(), *encoder.linear.parameters()]
    slopes = torch.autograd.grad((expected * weight).sum(), trained)
    found = run(encoder, given)
    assert "SideBySide" in type(found.grad_fn).__name__
    torch.testing.assert_close(found, expected)
    (found * weight).sum().backward()
    for parameter, slope in zip(trained, slopes, strict=True):
        assert parameter.grad is not None
        assert parameter.grad.is_sparse == slope.is_sparse
        torch.testing.assert_close(parameter.grad.to_dense(), slope.to_dense(), rtol=1e-4, atol=1e-4)
    assert all(parameter.grad is None for parameter in encoder.unused.parameters())


def test_what_is_frozen_gets_no_gradient() -> None:
    encoder = Encoder()
    encoder.embedding.requires_grad_(False)
    run(encoder, parts()).sum().backward()
    assert encoder.embedding.weight.grad is None
    assert encoder.linear.weight.grad is not None
    encoder.requires_grad_(False)
    assert not run(encoder, parts()).requires_grad


def test_the_same_seed_drops_the_same_whoever_is_first() -> None:
    encoder, given = Encoder(dropout=0.5), parts()
    outputs = []
    for _ in range(5):
        torch.manual_seed(7)
        outputs.append(run(encoder, given))
    assert all(torch.equal(outputs[0], other) for other in outputs[1:])
    assert not torch.equal(run(encoder, given), outputs[0])


def test_a_generator_of_ones_own_leaves_torchs_alone() -> None:
    layer, x = Dropout(0.5), torch.ones(100)
    state = torch.get_rng_state()
    with drawing_from(torch.Generator().manual_seed(3)):
        first = layer(x)
    assert torch.equal(state, torch.get_rng_state())
    with drawing_from(torch.Generator().manual_seed(3)):
        assert torch.equal(layer(x), first)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients(mode: type) -> None:
    encoder, given = Encoder(), parts()
    with mode():
        found = run(encoder, given)
        assert found.is_inference() == torch.is_inference_mode_enabled()
    assert not found.requires_grad
    torch.testing.assert_close(found, torch.cat([encoder(part) for part in given]))


def test_few_cells_and_single_threads_are_not_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, given, called = Encoder(), parts(), []
    monkeypatch.setattr(parallel, "on_workers", lambda *shared: called.append(shared))
    run(encoder, [given[0][:2], given[1][:2]])
    run(encoder, given[:1])
    torch.set_num_threads(1)
    run(encoder, given)
    assert not called


def test_a_workers_error_is_the_callers() -> None:
    def fail(_: int) -> None:
        raise ValueError("no such item")

    with pytest.raises(ValueError, match="no such item"):
        on_workers(fail, [1, 2])


@pytest.mark.parametrize("costs", [[1, 1, 1, 1], [5, 1, 1], [1, 1, 5], [3, 3], [1, 9]])
def test_workers_get_neighbouring_parts_and_the_best_such_halves(costs: list[int]) -> None:
    groups = parallel._groups(costs, parallel.WORKERS)
    assert [index for group in groups for index in range(len(costs))[group]] == list(range(len(costs)))
    worst = max(sum(costs[group]) for group in groups)
    assert worst == min(max(sum(costs[:cut]), sum(costs[cut:])) for cut in range(1, len(costs)))
