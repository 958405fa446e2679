"""The data and split that runs were made on, made again from their record."""

from typing import Any

import numpy as np
import pandas as pd

from recsys.commands.recorded import check_same, make_data
from recsys.data.attributes import ItemAttributes
from recsys.data.sequences import UserSequences
from recsys.data.splits import EvalSet, Split
from recsys.report.runs import Run


def facts_of_users(run: Run) -> pd.DataFrame:
    """One row per (test user, relevant item): user, history, item, popularity, about.

    history: length of the input; popularity: how often training has the item; about: its attributes, as text.
    ValueError or FileNotFoundError, in one sentence, where the data isn't the run's any more or can't be had.
    """
    dataset, splitter = make_data(run.config.get("data")), make_data(run.config.get("split"))
    sequences: UserSequences = dataset.sequences()
    check_same("data", run, sequences.fingerprint)
    split: Split = splitter(sequences)
    check_same("split", run, split.fingerprint())
    test: EvalSet = split.test
    popularity = np.bincount(split.train.flat(), minlength=sequences.num_items)
    rows, items = test.targets.row_ids(), test.targets.flat()
    return pd.DataFrame(
        {
            "user": sequences.users.ids[test.users[rows]],
            "history": test.inputs.lengths[rows],
            "item": sequences.vocabulary.ids[items],
            "popularity": popularity[items],
            "about": np.array(_descriptions(dataset, sequences), dtype=object)[items],
        }
    )


def _descriptions(dataset: Any, sequences: UserSequences) -> list[str]:
    """Each item's attributes; empty where there are none to be had."""
    try:
        kinds: tuple[ItemAttributes, ...] = dataset.attributes(sequences)
    except (ValueError, OSError):
        return [""] * sequences.num_items
    return ["; ".join(filter(None, texts)) for texts in zip(*map(_texts, kinds), strict=True)] or (
        [""] * sequences.num_items
    )


def _texts(kind: ItemAttributes) -> list[str]:
    names = kind.vocabulary.ids.astype(str)
    return [", ".join(names[kind.rows.row(item)]) for item in range(kind.rows.num_rows)]
