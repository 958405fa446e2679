"""The heads of S3-Rec's pre-training: names of the kinds of attributes, and kinds that have no weight."""

import pytest
import torch

from recsys.data.attributes import ItemAttributes
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged
from recsys.models.s3_heads import AttributeTable, S3Heads

STATES, ITEMS = torch.ones(3, 4), torch.tensor([0, 1, 2])


def heads_of(*names: str, weights: dict[str, float] | None = None) -> S3Heads:
    """For three items with one or two of two attributes, of each kind the same."""
    rows, values = Ragged.from_rows([[0], [0, 1], [1]]), Vocabulary(torch.arange(2).numpy())
    kinds = [ItemAttributes(name=name, rows=rows, vocabulary=values) for name in names]
    return S3Heads(kinds, dim=4, weights=weights or {}, known_only=True, init_std=0.02)


def test_ordinary_names_stand_in_the_state_as_they_are() -> None:
    """By them the tensors of older checkpoints are found."""
    names = ("genre", "release year", "größe", "a-b", "_x", "1")
    state = heads_of(*names).state_dict()
    assert {f"tables.{name}.weight" for name in names} <= set(state)
    assert {f"{head}.{name}.bias" for head in ("associated", "masked") for name in names} <= set(state)


def test_a_kind_may_have_any_name() -> None:
    """Names of a module's own, dots, and what either is written as."""
    names = (
        "type",
        "keys",
        "values",
        "items",
        "train",
        "training",
        "_modules",
        "a.b",
        "a%2Eb",
        "%type",
        "%",
        ".",
        "..",
    )
    heads, other = heads_of(*names), heads_of(*names)
    assert list(heads.weights) == list(names)
    assert len(heads.tables) == len(heads.associated) == len(heads.masked) == len(names)
    for loss in (heads.associated_attributes, heads.masked_attributes):
        loss(STATES, ITEMS).backward()
    assert all(table.weight.grad.abs().sum() > 0 for table in heads.tables.values())
    other.load_state_dict(heads.state_dict())
    assert other.masked_attributes(STATES, ITEMS) == heads.masked_attributes(STATES, ITEMS)


def test_a_kind_without_weight_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = heads_of("genre", "a.b", weights={"genre": 0.0, "a.b": 2.0})
    computed = []
    monkeypatch.setattr(
        AttributeTable, "forward", lambda self, *_: computed.append(self) or self.weight.new_ones(()).requires_grad_()
    )
    assert heads.associated_attributes(STATES, ITEMS) == heads.masked_attributes(STATES, ITEMS) == 2
    assert len(set(computed)) == 1
