import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.hstu import HSTU, HSTULayer, RelativeBias

PAD = 9
ITEMS = torch.tensor([[3, 1, 4, 5], [2, 8, PAD, PAD]])
TIMES = torch.tensor([[100, 160, 4000, 90000], [50, 70, 0, 0]])


@pytest.fixture
def model() -> HSTU:
    """Reads times; all its parameters are at work."""
    model = HSTU(Catalogue(num_items=PAD), max_length=6, dim=8, num_time_buckets=32, init_std=0.5).eval()
    for layer in model.layers:
        layer.bias.distance.data.normal_()
        layer.bias.time.data.normal_()
    return model


def one_by_one(layer: HSTULayer, x: Tensor, bias: Tensor) -> Tensor:
    """The paper's equations for one row [L, D] and bias [L, L], query by query and head by head."""
    u, v, q, k = F.silu(layer.input(layer.input_norm(x))).chunk(4, dim=1)
    size = x.shape[1] // layer.num_heads
    mixed = torch.zeros_like(x)
    for i in range(len(x)):
        for head in range(layer.num_heads):
            part = slice(head * size, (head + 1) * size)
            weights = [F.silu(q[i, part] @ k[j, part] + bias[i, j]) for j in range(i + 1)]
            mixed[i, part] = sum(weights[j] * v[j, part] for j in range(i + 1)) / (i + 1)
    return x + layer.output(layer.mixed_norm(mixed) * u)


def test_a_layer_is_the_papers_equations() -> None:
    bias = RelativeBias(max_length=6, num_time_buckets=4)
    layer = HSTULayer(dim=8, num_heads=2, dropout=0.0, bias=bias)
    bias.distance.data.normal_()
    bias.time.data.normal_()
    x, buckets = torch.randn(1, 5, 8), torch.randint(4, (1, 5, 5))
    expected = torch.tensor(
        [[bias.distance[abs(i - j)].item() + bias.time[buckets[0, i, j]].item() for j in range(5)] for i in range(5)]
    )
    torch.testing.assert_close(layer(x, buckets)[0], one_by_one(layer, x[0], expected))


def test_classes_of_time_grow_geometrically() -> None:
    model = HSTU(Catalogue(num_items=PAD), max_length=6, num_time_buckets=20)
    elapsed = [0, 1, 2, 60, 3600, 10**9]
    buckets = model._time_buckets(torch.tensor([[0, *elapsed]]))[0, 1:, 0].tolist()
    assert buckets == [min(math.floor(math.log(max(seconds, 1)) / 0.301), 19) for seconds in elapsed]


def test_only_differences_of_time_count(model: HSTU) -> None:
    states = model.encode(ITEMS, TIMES)
    torch.testing.assert_close(model.encode(ITEMS, TIMES + 10**6), states)
    assert not torch.allclose(model.encode(ITEMS, TIMES * 9)[0, 1:], states[0, 1:])


def test_later_times_and_padding_change_nothing(model: HSTU) -> None:
    later = TIMES.clone()
    later[0, 3] += 5000
    states = model.encode(ITEMS, TIMES)
    torch.testing.assert_close(model.encode(ITEMS, later)[0, :3], states[0, :3])
    torch.testing.assert_close(model.encode(ITEMS[1:, :2], TIMES[1:, :2])[0], states[1, :2])


def test_training_and_ranking_read_the_times_of_the_batch(model: HSTU) -> None:
    users, states, real = torch.arange(2), model.encode(ITEMS, TIMES), ITEMS != PAD
    train = TrainBatch.of(users, ITEMS, ITEMS, target_mask=real, timestamps=TIMES)
    torch.testing.assert_close(model.queries(train), states[real])
    asked = EvalBatch(users, ITEMS, users[:, None], users[:0], users[:0], TIMES)
    torch.testing.assert_close(model.next_queries(asked), states[[0, 1], [3, 1]])


def test_times_that_are_missing_are_one_clear_error(model: HSTU) -> None:
    with pytest.raises(ValueError, match=r"num_time_buckets \(32\) needs timestamps and the data has none"):
        model.encode(ITEMS)


def test_heads_must_divide_the_hidden_size() -> None:
    with pytest.raises(ValueError, match=r"dim \(64\) must be divisible by num_heads \(3\)"):
        HSTU(Catalogue(num_items=PAD), max_length=6, num_heads=3)
