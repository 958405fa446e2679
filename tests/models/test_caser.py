import pytest
import torch

from recsys.data.catalogue import Catalogue
from recsys.models.caser import Caser

CATALOGUE = Catalogue(num_items=9)
ROW = [3, 1, 4, 1, 5, 2, 6]
PAD = 9


def state_of_one_window(model: Caser, items: list[int]) -> torch.Tensor:
    """The paper's equations for one window, an L x D image, filter by filter."""
    image = model.embedding(torch.tensor(items))  # [L, D]
    features = []
    for height, convolution in enumerate(model.horizontal.filters, start=1):
        for weight, bias in zip(convolution.weight, convolution.bias, strict=True):  # [D, height]
            slid = [(image[i : i + height] * weight.T).sum() + bias for i in range(len(items) - height + 1)]
            features.append(torch.stack(slid).relu().max())
    for weight, bias in zip(model.vertical.filters.weight, model.vertical.filters.bias, strict=True):  # [L]
        features.extend(weight @ image + bias)
    return model.combine(torch.stack(features)).relu()


@pytest.mark.parametrize("window", [1, 3, 9])
def test_every_position_is_the_papers_network_on_the_window_that_ends_there(window: int) -> None:
    model = Caser(CATALOGUE, dim=6, window=window, num_horizontal=2, num_vertical=3).eval()
    states = model.encode(torch.tensor([ROW]))[0]
    before = [PAD] * (window - 1) + ROW
    for position in range(len(ROW)):
        torch.testing.assert_close(states[position], state_of_one_window(model, before[position : position + window]))


def test_nothing_before_the_window_is_remembered() -> None:
    model = Caser(CATALOGUE, window=3).eval()
    one, other = torch.tensor([ROW]), torch.tensor([[8, *ROW[1:]]])
    torch.testing.assert_close(model.encode(one)[0, 3:], model.encode(other)[0, 3:])
    assert not torch.allclose(model.encode(one)[0, 2], model.encode(other)[0, 2])
