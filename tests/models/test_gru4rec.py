from functools import partial

import pytest
import torch

from recsys.data.catalogue import Catalogue
from recsys.models.gru4rec import GRU4Rec
from recsys.models.outputs import SeparateOutput

CATALOGUE = Catalogue(num_items=7)
ROW = torch.tensor([[3, 0, 6, 2]])


def test_states_follow_the_equations_of_a_gated_recurrent_unit() -> None:
    model = GRU4Rec(CATALOGUE, dim=4, hidden_dim=5).eval()
    parts = [getattr(model.gru, name) for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")]
    (w_r, w_z, w_n), (u_r, u_z, u_n), (b_r, b_z, b_n), (c_r, c_z, c_n) = (part.chunk(3) for part in parts)
    state, expected = torch.zeros(5), []
    for x in model.embedding(ROW)[0]:
        reset = torch.sigmoid(w_r @ x + b_r + u_r @ state + c_r)
        update = torch.sigmoid(w_z @ x + b_z + u_z @ state + c_z)
        candidate = torch.tanh(w_n @ x + b_n + reset * (u_n @ state + c_n))
        state = (1 - update) * candidate + update * state
        expected.append(model.projection(state))
    torch.testing.assert_close(model.encode(ROW)[0], torch.stack(expected))


@pytest.mark.parametrize("hidden_dim", [4, 9])
def test_states_are_as_wide_as_the_output_table(hidden_dim: int) -> None:
    model = GRU4Rec(CATALOGUE, dim=4, hidden_dim=hidden_dim, num_layers=2)
    assert model.encode(ROW).shape == (1, 4, 4)
    assert isinstance(model.projection, torch.nn.Identity) == (hidden_dim == 4)


def test_the_output_is_the_embedding_or_a_table_of_its_own() -> None:
    tied = GRU4Rec(CATALOGUE)
    assert tied.item_table().weight.data_ptr() == tied.embedding.weight.data_ptr()
    assert tied.item_table().bias is None
    separate = GRU4Rec(CATALOGUE, output=partial(SeparateOutput, bias=True))
    assert separate.item_table().weight.data_ptr() != separate.embedding.weight.data_ptr()
    assert separate.item_table().bias.tolist() == [0.0] * 7
