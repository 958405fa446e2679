"""The data and split that runs were made on, made again from their record, by names that people read."""

import numpy as np
import pandas as pd

from recsys.data.attributes import ItemAttributes
from recsys.data.dataset import InteractionDataset
from recsys.data.sequences import UserSequences
from recsys.data.splits import EvalSet
from recsys.report.asked import Asked
from recsys.report.runs import Run
from recsys.runs.recorded import remake_data

RECENT = 8  # items of a history that are named


def asked_users(run: Run) -> tuple[Asked, list[str]]:
    """The users of the run's test set, and a sentence where items have to go by their ids though they have titles.

    ValueError or FileNotFoundError, in one sentence, where the data isn't the run's any more or can't be had.
    """
    dataset, sequences, _, split = remake_data(run, run.config)
    test = split.test
    popularity = np.bincount(split.train.flat(), minlength=sequences.num_items)
    rows, items = test.targets.row_ids(), test.targets.flat()
    names, remarks = _names(dataset, sequences)
    facts = pd.DataFrame(
        {
            "user": sequences.users.ids[test.users[rows]],
            "history": test.inputs.lengths[rows],
            "recent": _recent(test, names)[rows],
            "item": sequences.vocabulary.ids[items],
            "popularity": popularity[items],
            "about": np.array(_descriptions(dataset, sequences), dtype=object)[items],
        }
    )
    return Asked(facts=facts, names=dict(zip(sequences.vocabulary.ids.astype(str), names, strict=True))), remarks


def _names(dataset: InteractionDataset, sequences: UserSequences) -> tuple[np.ndarray, list[str]]:
    """What each item is called, [V] text, its id where it has no title."""
    ids = sequences.vocabulary.ids.astype(str)
    if dataset.titles is None:
        return ids, []
    try:
        titles = dataset.titles_of(sequences)
    except (ValueError, OSError) as problem:
        return ids, [f"Items of {sequences.name} are shown by their ids: {' '.join(str(problem).split())}"]
    return np.where(titles == "", ids, titles), []


def _recent(test: EvalSet, names: np.ndarray) -> np.ndarray:
    """The names of each user's latest input items, oldest first, [U] tuples."""
    last = test.inputs.last(RECENT)
    found = np.empty(last.num_rows, dtype=object)
    found[:] = [tuple(names[last.row(row)].tolist()) for row in range(last.num_rows)]
    return found


def _descriptions(dataset: InteractionDataset, sequences: UserSequences) -> list[str]:
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
