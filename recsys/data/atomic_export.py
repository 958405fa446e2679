"""A data set and its split as RecBole's atomic files, to be checked in RecBole itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.data.attributes import ItemAttributes
from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.sources import write_atomic
from recsys.data.splits import Split


def export_atomic(
    sequences: UserSequences, split: Split, attributes: Sequence[ItemAttributes], folder: Path
) -> list[Path]:
    """Writes NAME.inter, NAME.train.inter, NAME.valid.inter, NAME.test.inter and, with attributes, NAME.item.

    NAME is the folder's name, as RecBole wants it; returns the files. The first holds all interactions, each user's in
    the order of `sequences`; the three parts hold training interactions and targets, for its `benchmark_filename`.
    RecBole sorts by timestamps that it keeps in 32 bits, to about a minute; what it takes for equal stays as it stands
    here, so with `eval_args.split={LS: valid_and_test}, order=TO` it splits as leave-one-out does.
    """
    users, items = np.arange(sequences.num_users), sequences.items
    extra = {"rating:float": sequences.ratings, "timestamp:float": sequences.timestamps}
    parts = {
        "": (users, items, {name: values for name, values in extra.items() if values is not None}),
        ".train": (users, split.train, {}),
        ".valid": (split.valid.users, split.valid.targets, {}),
        ".test": (split.test.users, split.test.targets, {}),
    }
    written = [folder / f"{folder.name}{part}.inter" for part in parts]
    for path, (asked, rows, more) in zip(written, parts.values(), strict=True):
        write_atomic(path, _interactions(sequences, asked, rows) | more)
    if attributes:
        written.append(folder / f"{folder.name}.item")
        write_atomic(written[-1], _items(sequences, attributes))
    return written


def _interactions(sequences: UserSequences, users: np.ndarray, rows: Ragged) -> dict[str, Any]:
    return {
        "user_id:token": sequences.users.ids[users[rows.row_ids()]],
        "item_id:token": sequences.vocabulary.ids[rows.flat()],
    }


def _items(sequences: UserSequences, attributes: Sequence[ItemAttributes]) -> Mapping[str, Any]:
    kinds = {
        f"{kind.name}:token_seq": [
            [str(value).replace(" ", "_") for value in kind.vocabulary.ids[kind.rows.row(item)]]
            for item in range(kind.rows.num_rows)
        ]
        for kind in attributes
    }
    return {"item_id:token": sequences.vocabulary.ids, **kinds}
