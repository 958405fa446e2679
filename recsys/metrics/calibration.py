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
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], probabilities, side="left")
    frame = pd.DataFrame({"place": place, "promised": probabilities.astype(float), "happened": outcomes.astype(float)})
    groups = frame.groupby("place")
    table = groups[["promised", "happened"]].mean()
    table.insert(0, "count", groups.size())
    table.insert(0, "high", edges[1:][table.index])
    table.insert(0, "low", edges[:-1][table.index])
    return table.reset_index(drop=True)


def expected_calibration_error(table: pd.DataFrame) -> float:
    """sum_b count_b / N |happened_b - promised_b| of a `reliability` table (Naeini et al., AAAI 2015); nan if empty."""
    if table.empty:
        return float("nan")
    weights = table["count"] / table["count"].sum()
    return float((weights * (table["happened"] - table["promised"]).abs()).sum())
