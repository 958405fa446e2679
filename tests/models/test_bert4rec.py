import pytest
import torch

from recsys.data.catalogue import Catalogue
from recsys.models.bert4rec import BERT4Rec

V = 12
PAD, MASK = 12, 13


def model(*, max_length: int = 5, **sizes: float) -> BERT4Rec:
    return BERT4Rec(Catalogue(num_items=V), max_length=max_length, dim=16, feedforward_dim=32, **sizes).eval()


def test_a_mask_is_put_behind_each_row_and_a_full_row_gives_up_its_oldest_items() -> None:
    rows = torch.tensor([[3, 1, 4, 7, 5, 6], [3, 1, 4, 7, 5, PAD], [3, 1, 4, 7, PAD, PAD], [2, *[PAD] * 5]])
    asked = model(max_length=5).with_mask(rows)
    assert asked.tolist() == [
        [4, 7, 5, 6, MASK],
        [1, 4, 7, 5, MASK],
        [3, 1, 4, 7, MASK],
        [2, MASK, PAD, PAD, PAD],
    ]


def test_short_rows_get_one_column_more() -> None:
    asked = model(max_length=5).with_mask(torch.tensor([[3, 1], [2, PAD]]))
    assert asked.tolist() == [[3, 1, MASK], [2, MASK, PAD]]


def test_the_query_is_the_state_of_that_mask() -> None:
    bert = model(max_length=5)
    queries = bert.next_query(torch.tensor([[3, 1, 4, 7, 5], [2, 8, PAD, PAD, PAD]]))
    torch.testing.assert_close(queries[0], bert.encode(torch.tensor([[1, 4, 7, 5, MASK]]))[0, 4])
    torch.testing.assert_close(queries[1], bert.encode(torch.tensor([[2, 8, MASK]]))[0, 2])


def test_a_state_depends_on_both_sides() -> None:
    bert = model()
    row = torch.tensor([[3, 1, MASK, 7, 5]])
    state = bert.encode(row)[0, 2]
    for position in (0, 1, 3, 4):
        changed = row.clone()
        changed[0, position] = 9
        assert not torch.allclose(bert.encode(changed)[0, 2], state)


@pytest.mark.parametrize("attention_dropout", [0.0, 0.2])
def test_an_empty_row_gives_finite_states_and_gradients_in_training(attention_dropout: float) -> None:
    bert = model(attention_dropout=attention_dropout).train()
    bert.encode(torch.tensor([[PAD, PAD], [1, 2]])).square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in bert.parameters())


def test_logits_are_tied_to_the_embedding_and_carry_a_bias_per_item() -> None:
    bert = model()
    with torch.no_grad():
        bert.output.bias.copy_(torch.arange(V))
    query = torch.randn(2, 16)
    expected = query @ bert.embedding.weight[:V].T + torch.arange(V)
    torch.testing.assert_close(bert.score(query), expected)
