"""The heads of S3-Rec's pre-training: what a hidden state says of items, attributes and segments.

N positions, D hidden size, A attributes of a kind. They are thrown away when pre-training is over.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from recsys.data.attributes import ItemAttributes
from recsys.data.ragged_buffers import RaggedBuffers
from recsys.models.layers import initialise
from recsys.products import on_round_rows
from recsys.scoring.multi_label import Labels, multi_label_loss

BLOCK_ROWS = 256  # positions whose attribute logits are held at once


class AttributeTable(nn.Module):
    """The vectors of one kind's A attributes, [A, D], and which item has which of them.

    known_only: leave out items without any attribute: that nothing is known of them does not say they have none.
    """

    def __init__(self, attributes: ItemAttributes, *, dim: int, known_only: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(attributes.num_values, dim))
        self.known_only = known_only
        self.attributes = RaggedBuffers(attributes.rows)

    def forward(self, head: nn.Module, states: Tensor, items: Tensor) -> Tensor:
        """Binary cross-entropy of all A attributes of items [N] by states [N, D], summed over both.

        The logit of attribute a is head(h) . a, bilinear as head is linear.
        """
        if self.known_only:
            known = self.attributes.lengths[items] > 0
            states, items = states[known], items[known]
        return multi_label_loss(
            on_round_rows(head, states), self.weight, Labels(*self.attributes(items)), rows=BLOCK_ROWS
        )


class S3Heads(nn.Module):
    """A bilinear head for each loss and, for those about attributes, for each kind of them.

    weights: of the kinds, by name; 1 where a kind is not in it, and one of weight 0 is not computed. ValueError for a
    name that is no kind.
    known_only: see AttributeTable. init_std: standard deviation of the normal initialisation of every matrix.
    """

    def __init__(
        self,
        attributes: Sequence[ItemAttributes],
        *,
        dim: int,
        weights: Mapping[str, float],
        known_only: bool,
        init_std: float,
    ) -> None:
        super().__init__()
        kinds = {kind.name: kind for kind in attributes}
        for name in weights:
            if name not in kinds:
                raise ValueError(
                    f"attribute_weights ({name}) must name an attribute of the data: "
                    f"{', '.join(kinds) or 'it has none'}"
                )
            if weights[name] < 0:
                raise ValueError(f"attribute_weights.{name} ({weights[name]}) must not be negative")
        self.weights = {name: float(weights.get(name, 1.0)) for name in kinds}
        self.tables = nn.ModuleDict(
            {as_key(name): AttributeTable(kind, dim=dim, known_only=known_only) for name, kind in kinds.items()}
        )
        self.associated = nn.ModuleDict({as_key(name): nn.Linear(dim, dim) for name in kinds})
        self.masked = nn.ModuleDict({as_key(name): nn.Linear(dim, dim) for name in kinds})
        self.item = nn.Linear(dim, dim)
        self.segment = nn.Linear(dim, dim)
        initialise(self, std=init_std)

    def associated_attributes(self, states: Tensor, items: Tensor) -> Tensor:
        """AAP: what items [N] have, by the states at them [N, D]; summed over positions, attributes and kinds.

        There must be a kind that has a weight.
        """
        return self._attributes(self.associated, states, items)

    def masked_attributes(self, states: Tensor, items: Tensor) -> Tensor:
        """MAP: what hidden items [N] have, by the states at their masks [N, D]; summed as in AAP."""
        return self._attributes(self.masked, states, items)

    def masked_items(self, states: Tensor, vectors: Tensor) -> Tensor:
        """MIP: logits [N, C] of items with vectors [N, C, D] by the states at masks [N, D]."""
        return _logits(self.item, states, vectors)

    def segments(self, contexts: Tensor, segments: Tensor) -> Tensor:
        """SP: logits [N, C] of segments [N, C, D] in contexts [N, D]."""
        return _logits(self.segment, contexts, segments)

    def _attributes(self, heads: nn.ModuleDict, states: Tensor, items: Tensor) -> Tensor:
        keys = {as_key(name): weight for name, weight in self.weights.items() if weight}
        parts = [weight * self.tables[key](heads[key], states, items) for key, weight in keys.items()]
        return torch.stack(parts).sum()


def _logits(head: nn.Module, states: Tensor, vectors: Tensor) -> Tensor:
    return (on_round_rows(head, states)[:, None] * vectors).sum(2)


def as_key(name: str) -> str:
    """What a ModuleDict, which has no use for dots and for names of its own, calls a kind: most by their name."""
    escaped = name.replace("%", "%25").replace(".", "%2E")
    return f"%{escaped}" if hasattr(nn.ModuleDict(), escaped) else escaped
