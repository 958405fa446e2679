"""Interactions shaped like MovieLens-20M, from a seed: users' activity and items' popularity are long-tailed."""

import numpy as np
import pandas as pd


def interactions(*, num_users: int, num_items: int, num_rows: int, seed: int = 0) -> pd.DataFrame:
    """Columns user, item, rating, timestamp, in random order, about `num_rows` rows.

    Activity of users is log-normal (median and spread of MovieLens-20M: half of the users have fewer than 68 ratings,
    the mean is 144), popularity of items Zipf's with exponent 1; raw ids have gaps, as real ones do.
    """
    generator = np.random.default_rng(seed)
    activity = generator.lognormal(0.0, 1.2, num_users)
    lengths = np.maximum(5, activity / activity.sum() * num_rows).astype(np.int64)
    popularity = np.cumsum(1.0 / np.arange(10, num_items + 10))
    draws = generator.random(int(lengths.sum())) * popularity[-1]
    frame = pd.DataFrame(
        {
            "user": np.repeat(np.arange(num_users) * 3 + 1, lengths),
            "item": np.searchsorted(popularity, draws) * 7 + 1,
            "rating": generator.integers(1, 11, len(draws)) / 2,
            "timestamp": generator.integers(789_652_009, 1_427_784_002, len(draws)),
        }
    )
    return frame.iloc[generator.permutation(len(frame))].reset_index(drop=True)
