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
from recsys.data.splits import Splitter
from recsys.recommending.columns import read_users
from recsys.recommending.histories import read_histories


class Audience(NamedTuple):
    """R users. ids: [R] raw. indices: [R] in the data, or behind its last where new. histories: R rows of items."""

    ids: np.ndarray
    indices: np.ndarray
    histories: Ragged


class LeftOut(NamedTuple):
    """What of a file of new users is not served. rows: interactions with unknown items. users: raw ids, [*]."""

    rows: int
    users: np.ndarray


def everybody(sequences: UserSequences) -> Audience:
    """Every user of the data, with all that is known of them, held-out items included."""
    return Audience(sequences.users.ids, np.arange(sequences.num_users), sequences.items)


def these_users(sequences: UserSequences, catalogue: Catalogue, path: Path) -> Audience:
    """The users that a file names, see `read_users`, in its order. ValueError naming the first that is unknown."""
    found = catalogue.find_users(read_users(path), place=path)
    return Audience(sequences.users.ids[found], found, sequences.items.take(found))


def newcomers(
    dataset: InteractionDataset, splitter: Splitter, catalogue: Catalogue, path: Path
) -> tuple[Audience, LeftOut]:
    """The users of a file of interactions, see `read_histories`, and what of it can't be used.

    splitter: orders equal timestamps as it does in the data. ValueError where nothing known is left of anybody.
    """
    min_rating = dataset.filters["min_rating"]
    frame = read_histories(dataset.readers, path, rated=min_rating is not None)
    there = pd.Index(frame["user"].unique())
    if min_rating is not None and "rating" in frame:
        frame = at_least(frame, min_rating)
    known = pd.Index(catalogue.items.ids.astype(np.str_)).get_indexer(pd.Index(frame["item"].astype(str))) >= 0
    left = LeftOut(int((~known).sum()), there.difference(pd.Index(frame.loc[known, "user"].unique())).to_numpy())
    if not known.any():
        raise ValueError(
            f"{path}: nobody of {len(left.users):,} (such as {left.users[0]}) has an item that the data knows; "
            "give interactions with the data's own ids"
        )
    own = splitter.ordered(UserSequences.from_frame(frame.loc[known].reset_index(drop=True), name=path.stem))
    index = catalogue.find_items(own.vocabulary.ids, place=path)
    histories = own.items._replace(values=index[own.items.values])
    strangers = catalogue.num_users + np.arange(own.num_users)  # of which no model has a vector
    return Audience(own.users.ids, strangers, histories), left
