"""Who is served by `recsys recommend`, and what they have had."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from recsys.data.catalogue import Catalogue
from recsys.data.dataset import InteractionDataset
from recsys.data.interactions import at_least
from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.sources import Table, detect


class Audience(NamedTuple):
    """R users. ids: [R] raw. indices: [R] in the data, or behind its last where new. histories: R rows of items."""

    ids: np.ndarray
    indices: np.ndarray
    histories: Ragged


def everybody(sequences: UserSequences) -> Audience:
    """Every user of the data, with all that is known of them, held-out items included."""
    return Audience(sequences.users.ids, np.arange(sequences.num_users), sequences.items)


def these_users(sequences: UserSequences, catalogue: Catalogue, path: Path) -> Audience:
    """The users that a file names, one id per line, with or without the heading `user`, in its order.

    ValueError naming the file and the first that is unknown or stands there twice.
    """
    names = [name for line in path.read_text(encoding="utf-8-sig").splitlines() if (name := line.strip())]
    names = names[1:] if names[:1] == ["user"] else names
    if not names:
        raise ValueError(f"{path} names no user; write one id per line")
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"{path}: user {twice} stands there twice; remove one")
    found = catalogue.find_users(names, place=path)
    return Audience(sequences.users.ids[found], found, sequences.items.take(found))


def newcomers(dataset: InteractionDataset, catalogue: Catalogue, path: Path) -> tuple[Audience, int]:
    """The users of a file of interactions, and how many of its rows were left out for an unknown item.

    The file is read as the data's own is, or else as a table with columns `user` and `item`, oldest first.
    ValueError where nothing known is left of a user.
    """
    reader, file = detect(path, (*dataset.readers, Table()))
    frame = reader.read(file)
    min_rating = dataset.filters["min_rating"]
    if min_rating is not None and "rating" in frame:
        frame = at_least(frame, min_rating)
    known = pd.Index(catalogue.items.ids.astype(np.str_)).get_indexer(pd.Index(frame["item"].astype(str))) >= 0
    lost = set(frame["user"]) - set(frame.loc[known, "user"])
    if lost:
        raise ValueError(
            f"{path}: {len(lost):,} users (such as {min(lost, key=str)}) have no item that the data knows; "
            "leave them out"
        )
    own = UserSequences.from_frame(frame.loc[known].reset_index(drop=True), name=path.stem)
    index = catalogue.find_items(own.vocabulary.ids, place=path)
    histories = own.items._replace(values=index[own.items.values])
    strangers = catalogue.num_users + np.arange(own.num_users)  # of which no model has a vector
    return Audience(own.users.ids, strangers, histories), int((~known).sum())
