"""What every item encoder must do, whatever it is made of. A new model's YAML is picked up by itself."""

import pytest
import torch
from grid import build, encoders

from recsys.candidates import Candidates
from recsys.data.catalogue import Catalogue
from recsys.losses import CrossEntropy
from recsys.models.base import SequentialModel
from recsys.models.layers import ItemEmbedding
from recsys.scoring import plain_loss

NUM_ITEMS = 12
ROWS = torch.tensor([[3, 1, 4, 7, 5], [2, 8, 12, 12, 12], [9, 12, 12, 12, 12]])  # 12 = pad


@pytest.fixture(params=encoders())
def model(request: pytest.FixtureRequest) -> SequentialModel:
    return build("model", request.param, "max_length=8")(Catalogue(num_items=NUM_ITEMS)).eval()


def test_a_hidden_state_depends_on_nothing_after_it(model: SequentialModel) -> None:
    if not model.causal:
        pytest.skip("a bidirectional encoder")
    changed = ROWS.clone()
    changed[0, 3:] = torch.tensor([0, 11])
    before, after = model.encode(ROWS), model.encode(changed)
    torch.testing.assert_close(before[0, :3], after[0, :3])
    assert not torch.allclose(before[0, 3], after[0, 3])


def test_padding_changes_nothing_at_any_real_position(model: SequentialModel) -> None:
    alone = model.encode(torch.tensor([[2, 8]]))
    torch.testing.assert_close(model.encode(ROWS)[1, :2], alone[0], atol=1e-5, rtol=1e-5)


def test_hidden_states_of_padding_are_finite(model: SequentialModel) -> None:
    empty = torch.full((1, 4), model.pad)
    assert model.encode(torch.cat([ROWS[:, :4], empty])).isfinite().all()


def test_padding_changes_no_query(model: SequentialModel) -> None:
    alone = model.next_query(torch.tensor([[2, 8]]))
    torch.testing.assert_close(model.next_query(ROWS)[1], alone[0], atol=1e-5, rtol=1e-5)


def test_the_last_item_decides_the_query(model: SequentialModel) -> None:
    if model.ranks_at_mask:
        pytest.skip("a mask put behind the last item decides it")
    torch.testing.assert_close(model.next_query(ROWS)[1], model.encode(ROWS)[1, 1])


def test_gradients_reach_every_parameter(model: SequentialModel) -> None:
    queries = model.train().encode(ROWS).flatten(0, 1)  # [B * L, D]
    candidates = Candidates(None, torch.arange(len(queries)) % NUM_ITEMS, NUM_ITEMS)
    plain_loss(queries, model.item_table(), candidates, CrossEntropy()).backward()
    untouched = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched


def test_the_row_of_padding_starts_at_zero_and_stays_there(model: SequentialModel) -> None:
    tables = [module for module in model.modules() if isinstance(module, ItemEmbedding)]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    queries = model.train().encode(ROWS).flatten(0, 1)
    candidates = Candidates(None, torch.arange(len(queries)) % NUM_ITEMS, NUM_ITEMS)
    plain_loss(queries, model.item_table(), candidates, CrossEntropy()).backward()
    assert not any(table.weight[model.pad].any() for table in tables)
    optimizer.step()
    assert not any(table.weight[model.pad].any() for table in tables)


def test_pad_and_mask_cannot_be_ranked(model: SequentialModel) -> None:
    assert model.score(model.next_query(ROWS)).shape == (len(ROWS), NUM_ITEMS)


def test_scores_of_chosen_items_are_columns_of_all_scores(model: SequentialModel) -> None:
    queries = model.next_query(ROWS)
    everything = model.score(queries)
    shared = torch.tensor([5, 0, 11])
    torch.testing.assert_close(model.score(queries, shared), everything[:, shared])
    own = torch.tensor([[5, 0], [1, 1], [11, 3]])
    torch.testing.assert_close(model.score(queries, own), everything.gather(1, own))
