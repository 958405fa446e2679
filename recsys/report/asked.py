"""The users of a test set and what they are asked, under names that people read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Of one data set.

    facts: a row per (test user, relevant item): user, history (length of the input), recent (the input's last items by
    name, oldest first), item, popularity (how often training has it), about (its attributes, as text).
    names: id of an item, as text -> its title; an item without one is called by its id.
    """

    facts: pd.DataFrame
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, item: Any) -> str:
        """What the item is called."""
        return self.names.get(str(item)) or str(item)
