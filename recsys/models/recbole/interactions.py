"""Our batches as RecBole's Interactions. B rows, K negatives of each, V items."""

from typing import Any

import torch
import torch.nn.functional as F
from recbole.data.interaction import Interaction
from torch import Tensor

from recsys.data.batches import EvalBatch, TrainBatch, last_columns
from recsys.models.recbole.ids import padded_to_recbole, to_recbole


class Interactions:
    """Makes them for one model, under the names of fields that its config gives.

    num_items: V. data: RecBole's Dataset, for the items' attributes and for the config's transform of batches.
    transform: RecBole's, which masks or turns histories for the models that ask for it.
    """

    def __init__(self, config: Any, *, data: Any, transform: Any, num_items: int) -> None:
        self.user, self.item = config["USER_ID_FIELD"], config["ITEM_ID_FIELD"]
        self.history, self.length = self.item + config["LIST_SUFFIX"], config["ITEM_LIST_LENGTH_FIELD"]
        self.negative, self.label = config["NEG_PREFIX"] + self.item, config["LABEL_FIELD"]
        self.negative_history = config["NEG_PREFIX"] + self.history
        self.max_length = config["MAX_ITEM_LIST_LENGTH"]
        self.data, self.transform = data, transform
        self.num_items = num_items

    def finished(self, columns: dict[str, Tensor]) -> Interaction:
        """With the items' attributes and what the transform adds."""
        made = Interaction(columns)
        if self.data.item_feat is not None and self.item in columns:
            features = self.data.item_feat.to(columns[self.item].device)
            made.update(features[columns[self.item]])
        return self.transform(self.data, made)

    def users(self, batch: TrainBatch | EvalBatch) -> dict[str, Tensor]:
        """Those that the data doesn't know are nobody; a model that must know them is asked for none of them."""
        known = batch.users < self.data.catalogue.num_users
        return {self.user: to_recbole(batch.users) * known}

    def histories(self, batch: TrainBatch | EvalBatch, *, full_width: bool = True) -> dict[str, Tensor]:
        """Users with the last `max_length` of their items.

        full_width: padded to that, as some models weight every position.
        """
        items = padded_to_recbole(batch.items, num_items=self.num_items)  # [B, L]
        missing = self.max_length - items.shape[1]
        if missing < 0:
            items = items.gather(1, last_columns((items > 0).sum(1), self.max_length))
        elif full_width:
            items = F.pad(items, (0, missing))
        drawn = torch.randint_like(items, 1, self.num_items + 1) * (items > 0)  # DIEN's, an item beside each item
        return {
            **self.users(batch),
            self.history: items,
            self.length: (items > 0).sum(1),
            self.negative_history: drawn,
        }

    def paired(self, columns: dict[str, Tensor], negatives: Tensor) -> dict[str, Tensor]:
        """Each row K times, the negatives [B, K] beside it: K blocks of B rows, as RecBole lays them."""
        repeated = {name: _repeated(column, negatives.shape[1]) for name, column in columns.items()}
        return {**repeated, self.negative: to_recbole(negatives.T.flatten())}

    def labelled(self, columns: dict[str, Tensor], negatives: Tensor) -> dict[str, Tensor]:
        """Each row with label 1, then K times more with one of the negatives [B, K] as the item and label 0."""
        repeated = {name: _repeated(column, 1 + negatives.shape[1]) for name, column in columns.items()}
        items = torch.cat([columns[self.item], to_recbole(negatives.T.flatten())])
        labels = (torch.arange(len(items), device=items.device) < len(negatives)).float()
        return {**repeated, self.item: items, self.label: labels}

    def every_item(self, columns: dict[str, Tensor]) -> dict[str, Tensor]:
        """Each row once for every item of the catalogue, [B V]."""
        rows = len(columns[self.user])
        repeated = {name: column.repeat_interleave(self.num_items, dim=0) for name, column in columns.items()}
        items = to_recbole(torch.arange(self.num_items, device=columns[self.user].device))
        return {**repeated, self.item: items.repeat(rows)}


def _repeated(column: Tensor, times: int) -> Tensor:
    return column.repeat(times, *[1] * (column.dim() - 1))
