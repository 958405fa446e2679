"""The contract of an item encoder."""

from typing import ClassVar

from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.scoring import ItemTable, score


class SequentialModel(nn.Module):
    """Encodes rows of items and scores the hidden states against items.

    Item ids are 0..V-1; `pad` = V follows each row's end and `mask` = V + 1 stands for a hidden item. What is
    computed at a real position never depends on padding.

    causal: whether a hidden state depends on nothing after its position, so that every position may be trained to
    predict its successor.
    """

    causal: ClassVar[bool] = True

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__()
        self.num_items = catalogue.num_items

    @property
    def pad(self) -> int:
        """Id that follows each row's end."""
        return self.num_items

    @property
    def mask(self) -> int:
        """Id that stands for a hidden item."""
        return self.num_items + 1

    def encode(self, items: Tensor) -> Tensor:
        """Right-padded items [B, L] -> hidden state at each position [B, L, D], finite at padding too."""
        raise NotImplementedError

    def item_table(self) -> ItemTable:
        """The output layer that hidden states are multiplied with, in training and in ranking alike."""
        raise NotImplementedError

    def next_query(self, items: Tensor) -> Tensor:
        """Items [B, L] -> the hidden state that ranks each row's next item [B, D]: that of its last real position."""
        last = (items != self.pad).sum(1) - 1  # [B]
        return self.encode(items)[range(len(items)), last]

    def score(self, queries: Tensor, items: Tensor | None = None) -> Tensor:
        """Logits of queries [N, D] against items [N, C], [C] or None (the catalogue) -> [N, C]."""
        return score(queries, self.item_table(), items)
