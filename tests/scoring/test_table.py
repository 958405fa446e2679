"""Products with the table of items."""

import torch

from recsys.scoring import ItemTable, score


def test_score_adds_the_bias_of_each_item() -> None:
    table = ItemTable(torch.zeros(3, 2), torch.tensor([1.0, 2.0, 3.0]))
    assert score(torch.zeros(1, 2), table).tolist() == [[1.0, 2.0, 3.0]]
    assert score(torch.zeros(1, 2), table, torch.tensor([2, 0])).tolist() == [[3.0, 1.0]]
    assert score(torch.zeros(1, 2), table, torch.tensor([[2, 0]])).tolist() == [[3.0, 1.0]]


def test_chosen_items_are_columns_of_the_catalogue() -> None:
    queries, table = torch.randn(4, 3), ItemTable(torch.randn(6, 3), torch.randn(6))
    everything = score(queries, table)
    own = torch.randint(6, (4, 5))
    torch.testing.assert_close(score(queries, table, own), everything.gather(1, own))
    torch.testing.assert_close(score(queries, table, own[0]), everything[:, own[0]])


def test_a_correction_lowers_the_logit_of_its_item() -> None:
    queries, weight, log_q = torch.randn(4, 3), torch.randn(6, 3), torch.randn(6)
    for bias in (None, torch.randn(6)):
        table = ItemTable(weight, bias)
        torch.testing.assert_close(score(queries, table.less(log_q)), score(queries, table) - log_q)
