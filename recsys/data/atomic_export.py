"""A data set and its split as RecBole's atomic files, to be checked in RecBole itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from recsys.data.attributes import ItemAttributes
from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.sources import write_atomic
from recsys.data.splits import Split


def export_atomic(
    sequences: UserSequences, split: Split, attributes: Sequence[ItemAttributes], folder: Path
) -> list[Path]:
    """Writes NAME.inter, NAME.train.inter, NAME.valid.inter, NAME.test.inter and, with attributes, NAME.item.

    NAME is the folder's name, as RecBole wants it; returns the files. A NAME.item of an earlier export is removed where
    there are no attributes. The first file holds all interactions, each user's in the order of `sequences`; the three
    parts hold training interactions and targets. See `recbole_settings` for how RecBole reads them.
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
    described = folder / f"{folder.name}.item"
    if not attributes:
        described.unlink(missing_ok=True)
        return written
    write_atomic(described, _items(sequences, attributes))
    return [*written, described]


def recbole_settings(sequences: UserSequences, attributes: Sequence[ItemAttributes], folder: Path) -> str:
    """What RecBole's config file says to read `export_atomic`'s files, as YAML; for sequential models as a comment.

    General models read any split as `benchmark_filename`. Sequential ones can't (RecBole 1.2.1 looks for columns that
    only its own augmentation makes); they get leave-one-out by `eval_args`, which needs times. RecBole sorts by times
    that it keeps in 32 bits, to about a minute; what it takes for equal stays as it stands in NAME.inter, so that it
    leaves out the items that `split=leave_one_out` does.
    """
    items = {"item": ["item_id", *(kind.name for kind in attributes)]} if attributes else {}
    shared = {"data_path": str(folder.parent), "dataset": folder.name}
    ids = ["user_id", "item_id"]
    parts = {"load_col": {"inter": ids} | items, "benchmark_filename": ["train", "valid", "test"]}
    lines = ["# general models, as BPR: this very split", _yaml(shared | parts)]
    if sequences.timestamps is None:
        return "\n".join([*lines, "# sequential models, as GRU4Rec, need times, which the data has not", ""])
    last = {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"}
    instead = _yaml(shared | {"load_col": {"inter": [*ids, "timestamp"]} | items, "eval_args": last})
    told = "sequential models, as GRU4Rec, can't read benchmark_filename: instead, the same as split=leave_one_out"
    return "\n".join([*lines, *(f"# {line}".rstrip() for line in [told, *instead.splitlines()]), ""])


def _yaml(settings: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(settings), sort_keys=False, default_flow_style=None, width=1000)


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
