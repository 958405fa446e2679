"""Encoders on packed rows, as on a CPU, and on padded ones, as elsewhere."""

import pytest
import torch
from grid import build

from recsys.data.batches import TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.base import PackingModel
from recsys.models.rows import PackedRows, PaddedRows, Rows, layout, rows_of

V, PAD = 30, 30
LENGTHS = torch.tensor([2, 3, 4, 4, 7, 9, 12, 17, 19])
ITEMS = torch.randint(V, (9, 19), generator=torch.Generator().manual_seed(0))
ITEMS = ITEMS.masked_fill(torch.arange(19) >= LENGTHS[:, None], PAD)
REAL = ITEMS != PAD
TARGETS = REAL & (torch.arange(19) % 3 > 0)
BATCH = TrainBatch.of(torch.arange(9), ITEMS, targets=ITEMS, target_mask=TARGETS)
KINDS = [PackedRows, PaddedRows]


def model(name: str) -> PackingModel:
    torch.manual_seed(0)
    return build("model", name, "max_length=20", "model.dim=16")(Catalogue(num_items=V)).eval()


@pytest.mark.parametrize("name", ["sasrec", "s3rec", "bert4rec", "esasrec", "fmlprec", "lrurec"])
def test_packed_rows_come_to_what_padded_ones_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = model(name)
    learned = [parameter for key, parameter in encoder.named_parameters() if "output" not in key]

    def computed() -> list[torch.Tensor]:
        states = [encoder.encode(ITEMS)[REAL], encoder.queries(BATCH), encoder.next_query(ITEMS)]
        loss = torch.stack([(each * torch.arange(16)).sigmoid().sum() for each in states]).sum()
        return [*states, *torch.autograd.grad(loss, learned, allow_unused=True, materialize_grads=True)]

    packed = computed()
    torch.testing.assert_close(packed[1], packed[0][TARGETS[REAL]])
    monkeypatch.setattr(layout, "packed_on", lambda _: False)
    for one, other in zip(packed, computed(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_cells_come_back_to_where_they_were(kind: type[Rows]) -> None:
    found = kind(LENGTHS, width=19, causal=True)
    cells = found.pack(ITEMS)[:, None].double().requires_grad_()
    back = found.unpack(cells)[..., 0]
    assert back[REAL].tolist() == ITEMS[REAL].tolist()
    places = TARGETS.flatten().nonzero().squeeze(1)
    assert found.at(cells, places)[:, 0].tolist() == ITEMS[TARGETS].tolist()
    assert found.ends().asking(cells)[:, 0].tolist() == ITEMS[range(9), LENGTHS - 1].tolist()


@pytest.mark.parametrize("after", [0, 4, 9])
@pytest.mark.parametrize("kind", KINDS)
def test_some_rows_ask_by_their_ends_alone(kind: type[Rows], after: int) -> None:
    found = kind(LENGTHS, width=19, causal=True).ends(after=after)
    asking = found.asking(found.pack(ITEMS)[:, None])
    assert found.at_ends(asking)[:, 0].tolist() == ITEMS[range(after, 9), LENGTHS[after:] - 1].tolist()
    whole = TARGETS & (torch.arange(9) < after)[:, None]
    assert found.at(asking, whole.flatten().nonzero().squeeze(1))[:, 0].tolist() == ITEMS[whole].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_come_back_to_the_cells(kind: type[Rows]) -> None:
    found = kind(LENGTHS, width=19, causal=True)
    cells = found.pack(ITEMS)[:, None].double().requires_grad_()
    columns, lengths = found.columns()
    weights = torch.arange(19) * LENGTHS[:, None]
    (gradient,) = torch.autograd.grad((found.unpack(cells)[..., 0] * weights)[REAL].sum(), cells)
    assert gradient.sum() == weights[REAL].sum()
    own = gradient[:, 0] != 0
    assert gradient[own, 0].tolist() == (columns * lengths)[own].tolist()


def test_the_number_of_packed_cells_is_one_of_few() -> None:
    numbers = {
        len(PackedRows(torch.tensor([count, 100]), width=3000, causal=True).pack(torch.zeros(2, 3000, dtype=int)))
        for count in range(1900, 2100)
    }
    assert numbers == {2048, 2176, 2304}


def test_the_mask_is_padding_times_causal() -> None:
    found = rows_of(torch.tensor([3, 2]), width=3, causal=True)
    assert found.mask().int().tolist() == [[[[1, 0, 0], [1, 1, 0], [1, 1, 1]]], [[[1, 0, 0], [1, 1, 0], [1, 1, 0]]]]
    assert found.ends().mask().int().tolist() == [[[[1, 1, 1]]], [[[1, 1, 0]]]]
