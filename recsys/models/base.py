"""The contract of an item encoder."""

from typing import ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.rows import Rows, last_state, packed_on, rows_of
from recsys.scoring import ItemTable, score


@runtime_checkable
class QueryModel(Protocol):
    """What SequentialRecommender trains and ranks with: batches become queries, and a table scores them.

    An item encoder (SequentialModel) makes its queries from the items alone; a model with user vectors reads
    `batch.users` too.
    reads_items: whether queries depend on the batch's items, not on its users alone.
    causal, ranks_at_mask: see SequentialModel.

    A model whose `has_user_vectors` is True knows each user by a vector that training made, and can serve no others.
    One whose `packs` is True computes nothing on padding where `recsys.models.rows` packs rows.
    """

    reads_items: ClassVar[bool]
    causal: ClassVar[bool]
    ranks_at_mask: ClassVar[bool]

    def queries(self, batch: TrainBatch) -> Tensor:
        """The query of each target position, in the order of `batch.positives`, [N, D]."""
        ...

    def next_queries(self, batch: TrainBatch | EvalBatch) -> Tensor:
        """The query that ranks each row's next item, [B, D]."""
        ...

    def item_table(self) -> ItemTable:
        """The output layer that queries are multiplied with, in training and in ranking alike."""
        ...


def packs(model: QueryModel, device: torch.device) -> bool:
    """Whether padding costs the model nothing on that device."""
    return getattr(model, "packs", False) and packed_on(device)


class SequentialModel(nn.Module):
    """Encodes rows of items and scores the hidden states against items.

    Item ids are 0..V-1; `pad` = V follows each row's end and `mask` = V + 1 stands for a hidden item. What is
    computed at a real position never depends on padding.

    causal: whether a hidden state depends on nothing after its position, so that every position may be trained to
    predict its successor.
    ranks_at_mask: whether the next item is ranked by the state of a `mask` put behind the row, so that hiding items is
    how the model has to be trained.
    """

    reads_items: ClassVar[bool] = True
    causal: ClassVar[bool] = True
    ranks_at_mask: ClassVar[bool] = False

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

    def lengths(self, items: Tensor) -> Tensor:
        """Right-padded items [B, L] -> number of real ones in each row [B]."""
        return (items != self.pad).sum(1)

    def encode(self, items: Tensor) -> Tensor:
        """Right-padded items [B, L] -> hidden state at each position [B, L, D], finite at padding too."""
        raise NotImplementedError

    def item_table(self) -> ItemTable:
        """The output layer that hidden states are multiplied with, in training and in ranking alike."""
        raise NotImplementedError

    def next_query(self, items: Tensor) -> Tensor:
        """Items [B, L] -> the hidden state that ranks each row's next item [B, D]: that of its last real position."""
        return last_state(self.encode(items), self.lengths(items))

    def queries(self, batch: TrainBatch) -> Tensor:
        """The hidden state at each target position, [N, D]."""
        return batch.at_targets(self.encode(batch.items))

    def next_queries(self, batch: TrainBatch | EvalBatch) -> Tensor:
        """The hidden state that ranks each row's next item, [B, D]."""
        return self.next_query(batch.items)

    def columns(self, items: Tensor) -> tuple[Tensor, Tensor]:
        """Of items [B, L], places in their rows [L] and the rows' lengths [B, 1], as positions take them."""
        return torch.arange(items.shape[1], device=items.device), self.lengths(items)[:, None]

    def score(self, queries: Tensor, items: Tensor | None = None) -> Tensor:
        """Logits of queries [N, D] against items [N, C], [C] or None (the catalogue) -> [N, C]."""
        return score(queries, self.item_table(), items)


class PackingModel(SequentialModel):
    """A SequentialModel that works on the cells of a batch's rows (recsys.models.rows).

    packs: whether nothing at all is computed on padding where rows are packed; a layer that unpacks them does.
    """

    packs: ClassVar[bool] = True

    def states(self, items: Tensor, rows: Rows) -> Tensor:
        """The items of the cells [N] -> the hidden states of those that ask, [Q, D]."""
        raise NotImplementedError

    def rows(self, items: Tensor, *, causal: bool) -> Rows:
        """The rows of right-padded items [B, L]."""
        return rows_of(self.lengths(items), width=items.shape[1], causal=causal)

    def encode_cells(self, items: Tensor, rows: Rows) -> Tensor:
        """Right-padded items [B, L] -> the hidden states of the cells that ask, [Q, D]."""
        with rows.at_work():
            return self.states(rows.pack(items), rows)

    def encode(self, items: Tensor) -> Tensor:
        rows = self.rows(items, causal=self.causal)
        return rows.unpack(self.encode_cells(items, rows))

    def next_query(self, items: Tensor) -> Tensor:
        return self.encode_cells(items, self.rows(items, causal=self.causal).ends())

    def queries(self, batch: TrainBatch) -> Tensor:
        rows = self.rows(batch.items, causal=self.causal)
        return rows.at(self.encode_cells(batch.items, rows), batch.places)
