"""The data and split that runs were made on, made again from their record."""

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
from hydra.utils import instantiate

from recsys.data.attributes import ItemAttributes
from recsys.data.sequences import UserSequences
from recsys.data.splits import EvalSet, Split
from recsys.report.runs import Run

ALLOWED = "recsys.data."


def facts_of_users(run: Run) -> pd.DataFrame:
    """One row per (test user, relevant item): user, history, item, popularity, about.

    history: length of the input; popularity: how often training has the item; about: its attributes, as text.
    ValueError or FileNotFoundError, in one sentence, where the data isn't the run's any more or can't be had.
    """
    dataset, splitter = make(run.config.get("data")), make(run.config.get("split"))
    sequences: UserSequences = dataset.sequences()
    _check("data", run, sequences.fingerprint)
    split: Split = splitter(sequences)
    _check("split", run, split.fingerprint())
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


def make(node: Any) -> Any:
    """What a record's config describes. A record may come from anywhere: only classes of recsys.data are made.

    ValueError where the config names anything else, or nothing.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise ValueError("the record has no config of its data and split; run it again to have strata of users")
    for target in _targets(node):
        if not _is_allowed(target):
            raise ValueError(f"{target} is not a class of recsys.data: the report makes no other; leave strata out")
    return instantiate(node)


def _targets(node: Any) -> Iterator[str]:
    """Every `_target_` at any depth."""
    inner = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    if isinstance(node, Mapping) and "_target_" in node:
        yield str(node["_target_"])
    for value in inner:
        yield from _targets(value)


def _is_allowed(target: str) -> bool:
    """Whether it names a class that a module of recsys.data defines; not something such a module has imported."""
    module, _, name = target.rpartition(".")
    if not f"{module}.".startswith(ALLOWED):
        return False
    try:
        import_module(module)
    except ImportError:
        return False
    found = getattr(sys.modules[module], name, None)
    return isinstance(found, type) and found.__module__.startswith(ALLOWED)


def _check(key: str, run: Run, now: str) -> None:
    if run.fingerprints.get(key) != now:
        raise ValueError(
            f"the {key} of {run.name} on {run.data} has changed since: its fingerprint was "
            f"{run.fingerprints.get(key, 'unknown'):.12}, it is {now:.12}; no strata are shown"
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
