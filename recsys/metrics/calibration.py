"""Whether probabilities mean what they say."""

import numpy as np
import pandas as pd

BINS = 10


def reliability(probabilities: np.ndarray, outcomes: np.ndarray, *, bins: int = BINS) -> pd.DataFrame:
    """What was promised against what happened, in `bins` equal bins of [0, 1]; the empty ones are left out.

    probabilities: [N]; outcomes: [N], 1 where it happened and 0 where not. A bin holds its upper bound.
    Columns: low, high, count, promised (mean probability), happened (share). ValueError for what is no probability.
    """
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be numbers from 0 to 1; look for a diverged training (NaN)")
    columns = {"promised": probabilities, "happened": outcomes}
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], probabilities, side="left")
    count = np.bincount(place, minlength=bins)
    filled = count > 0
    sums = {name: np.bincount(place, weights=values, minlength=bins)[filled] for name, values in columns.items()}
    means = {name: total / count[filled] for name, total in sums.items()}
    return pd.DataFrame({"low": edges[:-1][filled], "high": edges[1:][filled], "count": count[filled]} | means)


def expected_calibration_error(table: pd.DataFrame) -> float:
    """sum_b count_b / N |happened_b - promised_b| of a `reliability` table (Naeini et al., AAAI 2015); nan if empty."""
    if table.empty:
        return float("nan")
    count, gap = table["count"].to_numpy(), abs(table["happened"] - table["promised"]).to_numpy()
    return float((count * gap).sum() / count.sum())
