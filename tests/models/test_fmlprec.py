import pytest
import torch
from torch import Tensor

from recsys.data.catalogue import Catalogue
from recsys.models.fmlprec import CausalFilter, CircularFilter, CircularFMLPRec
from recsys.models.rows import Rows, rows_of

PAD = 9


def with_kernel(filter_class: type[CircularFilter], kernel: Tensor) -> CircularFilter:
    """A filter whose impulse response is `kernel` [N, D]."""
    layer = filter_class(dim=kernel.shape[1], max_length=len(kernel))
    layer.weight.data = torch.view_as_real(torch.fft.rfft(kernel, dim=0))
    return layer


def whole_rows(x: Tensor) -> Rows:
    """Rows without padding, [B, L, *]."""
    return rows_of(torch.full((x.shape[0],), x.shape[1]), width=x.shape[1], causal=False)


def filtered(layer: CircularFilter, x: Tensor) -> Tensor:
    """What it makes of rows [B, L, D] without padding."""
    rows = whole_rows(x)
    return rows.unpack(layer(rows.cells(x), rows))


@pytest.mark.parametrize("size", [1, 2, 7, 8])
def test_the_circular_filter_is_a_circular_convolution(size: int) -> None:
    kernel, x = torch.randn(size, 3), torch.randn(2, size, 3)
    expected = sum(kernel[lag] * x.roll(lag, dims=1) for lag in range(size))
    torch.testing.assert_close(filtered(with_kernel(CircularFilter, kernel), x), expected)


@pytest.mark.parametrize("length", [1, 5, 8])
def test_the_causal_filter_reads_the_past_alone(length: int) -> None:
    kernel, x = torch.randn(8, 3), torch.randn(2, length, 3)
    expected = torch.stack([(kernel[: t + 1].flip(0) * x[:, : t + 1]).sum(1) for t in range(length)], 1)
    torch.testing.assert_close(filtered(with_kernel(CausalFilter, kernel), x), expected)


def test_both_filters_agree_at_the_last_of_all_positions() -> None:
    kernel, x = torch.randn(8, 3), torch.randn(2, 8, 3)
    causal, circular = (filtered(with_kernel(kind, kernel), x)[:, -1] for kind in (CausalFilter, CircularFilter))
    torch.testing.assert_close(causal, circular)


def test_the_published_model_sees_rows_padded_on_the_left() -> None:
    """The authors' layout, made by hand: a short row's states are those at the end of a full frame."""
    model = CircularFMLPRec(Catalogue(num_items=PAD), max_length=6, dim=8).eval()
    rows = torch.tensor([[3, 1, 4, PAD], [2, PAD, PAD, PAD]])
    framed = torch.tensor([[PAD, PAD, PAD, 3, 1, 4], [PAD, PAD, PAD, PAD, PAD, 2]])
    embedded = model.norm(model.embedding(framed) + model.positions.weight)  # [B, N, D]
    by_hand = model.blocks(embedded.flatten(0, 1), whole_rows(embedded)).unflatten(0, (2, 6))
    states = model.encode(rows)
    torch.testing.assert_close(states[0, :3], by_hand[0, 3:])
    torch.testing.assert_close(states[1, 0], by_hand[1, 5])


def test_the_published_model_reads_what_follows() -> None:
    model = CircularFMLPRec(Catalogue(num_items=PAD), max_length=6, dim=8, init_std=0.5).eval()
    states = model.encode(torch.tensor([[3, 1, 4], [3, 1, 5]]))
    assert not torch.allclose(states[0, 0], states[1, 0])
