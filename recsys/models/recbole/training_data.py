"""A split's training interactions as RecBole's Dataset, in memory."""

import logging
from functools import cached_property
from typing import Any

import numpy as np
import torch
from recbole.data.dataset import Dataset
from recbole.data.interaction import Interaction
from recbole.utils import FeatureSource, FeatureType
from torch import Tensor

from recsys.data.catalogue import Catalogue
from recsys.data.ragged import Ragged
from recsys.models.recbole.ids import to_recbole


class TrainingData(Dataset):
    """What RecBole's models ask of a Dataset, from the catalogue: its training rows and items' attributes.

    RecBole's own ways of loading, filtering, numbering and splitting are passed over: that is done before.
    histories: whether an interaction goes with the items before it, as RecBole's augmentation makes them.
    """

    def __init__(self, config: Any, *, catalogue: Catalogue, histories: bool) -> None:
        self.config = config
        self.catalogue = catalogue
        self.histories = histories
        self.max_length = config["MAX_ITEM_LIST_LENGTH"]
        self.logger = logging.Logger("recbole", logging.ERROR)  # its own, which remarks on long histories stay in
        self._get_preset()
        self._get_field_from_config()
        self.user_feat = None
        self._declare(self.uid_field, FeatureType.TOKEN, FeatureSource.USER_ID, catalogue.num_users)
        self._declare(self.iid_field, FeatureType.TOKEN, FeatureSource.ITEM_ID, catalogue.num_items)
        self._declare(self.label_field, FeatureType.FLOAT, FeatureSource.INTERACTION)
        self.field2seqlen[self.iid_field + config["LIST_SUFFIX"]] = self.max_length
        self.item_feat = self._item_features() if catalogue.attributes else None

    def _declare(self, field: str, kind: Any, source: Any, values: int = 0, *, length: int = 1) -> None:
        """A field with `values` different values, numbered from 1."""
        self.set_field_property(field, kind, source, length)
        self.field2id_token[field] = np.arange(values + 1)

    def _item_features(self) -> Interaction:
        """The attributes of each item, [V + 1, A]; 0 where there are fewer, and for padding."""
        features = {self.iid_field: torch.arange(self.catalogue.num_items + 1)}
        for kind in self.catalogue.attributes:
            width = max(1, int(kind.rows.lengths.max()))
            table = kind.rows._replace(values=kind.rows.values + 1).padded(width, 0)  # [V, A]
            features[kind.name] = torch.from_numpy(np.pad(table, ((1, 0), (0, 0))).astype(np.int64))
            self._declare(kind.name, FeatureType.TOKEN_SEQ, FeatureSource.ITEM, kind.num_values, length=width)
        return Interaction(features)

    @cached_property
    def inter_feat(self) -> Interaction:
        """One row per training interaction; with histories, per interaction that another one precedes."""
        rows = self.catalogue.train
        users, items = to_recbole(rows.row_ids()), to_recbole(rows.flat())
        columns = {self.uid_field: users, self.iid_field: items}
        if self.histories:
            ends = np.arange(len(items)) - np.repeat(np.cumsum(rows.lengths) - rows.lengths, rows.lengths)
            kept = np.flatnonzero(ends)
            before = Ragged(np.asarray(items), kept - ends[kept], ends[kept])
            columns = {name: values[kept] for name, values in columns.items()}
            columns[self.iid_field + self.config["LIST_SUFFIX"]] = before.padded(self.max_length, 0)
            columns[self.config["ITEM_LIST_LENGTH_FIELD"]] = before.last(self.max_length).lengths
        return Interaction({name: _tensor(values) for name, values in columns.items()})


def _tensor(values: Any) -> Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.int64))
