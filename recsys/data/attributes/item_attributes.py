"""One kind of attribute (genre, year, director) of every item of a data set."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from recsys.data.fingerprints import fingerprint
from recsys.data.interactions import Vocabulary
from recsys.data.ragged import Ragged


@dataclass(frozen=True, kw_only=True)
class ItemAttributes:
    """A row of attribute indices per item; an item may have none, or several. V items, A attributes.

    name: what the kind is called. rows: V rows of indices 0..A-1, ascending, none twice. vocabulary: raw attributes.
    unknown: items of the file that the data has not, left out. duplicates: pairs that the file repeats, dropped.
    """

    name: str
    rows: Ragged
    vocabulary: Vocabulary
    unknown: int = 0
    duplicates: int = 0

    @classmethod
    def from_pairs(cls, pairs: pd.DataFrame, *, name: str, items: Vocabulary, key: str = "") -> "ItemAttributes":
        """From (item, value) pairs in raw ids. ValueError where not one of their items is among `items`.

        key: of the config, to be named there.
        """
        found = _find(pairs["item"], items)
        known = pairs.assign(item=found)[found >= 0]
        if known.empty:
            raise ValueError(
                f"attribute {name}: none of its {pairs['item'].nunique():,} items (such as {_some(pairs['item'])}) is "
                f"among the data's {len(items):,} (such as {_some(items.ids)}); check {key or 'the file'}"
            )
        vocabulary, values = Vocabulary.encoded(known["value"])
        coded = pd.DataFrame({"item": known["item"], "value": values})
        distinct = coded.drop_duplicates().sort_values(["item", "value"])
        return cls(
            name=name,
            rows=Ragged.from_lengths(
                distinct["value"].to_numpy(np.int64), np.bincount(distinct["item"], minlength=len(items))
            ),
            vocabulary=vocabulary,
            unknown=pairs.loc[found < 0, "item"].nunique(),
            duplicates=len(coded) - len(distinct),
        )

    @property
    def num_values(self) -> int:
        """A."""
        return len(self.vocabulary)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of name, rows and vocabulary."""
        arrays = {"values": self.rows.flat(), "lengths": self.rows.lengths, "vocabulary": self.vocabulary.ids}
        return fingerprint({f"{self.name} {key}": array for key, array in arrays.items()})

    def multi_hot(self) -> np.ndarray:
        """Who has what, [V, A] bool; for small catalogues and tests."""
        table = np.zeros((self.rows.num_rows, self.num_values), dtype=bool)
        table[self.rows.row_ids(), self.rows.flat()] = True
        return table

    def describe(self) -> str:
        """How much there is and what was left out, in one line."""
        lengths = self.rows.lengths
        return (
            f"{self.name}: {self.num_values:,} values, {lengths.mean():.1f} per item, {np.sum(lengths == 0):,} items "
            f"without; left out: {self.unknown:,} items not in the data, {self.duplicates:,} repeated pairs"
        )


def _find(raw: Any, items: Vocabulary) -> np.ndarray:
    """Index of each raw id, -1 where unknown; compared as text, for a file may quote what the data has as numbers."""
    return pd.Index(items.ids.astype(np.str_)).get_indexer(pd.Index(raw.astype(str)))


def _some(raw: Any) -> str:
    return ", ".join(map(str, pd.Series(raw).unique()[:3]))
