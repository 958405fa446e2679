"""The movie competition's split: fill in the past and tell the future at once."""

import numpy as np

from recsys.data.sequences import UserSequences
from recsys.data.splits.base import Split, TieSplitter, random_share, split_where
from recsys.data.splits.temporal import cut_names, cut_times, times_of
from recsys.data.splits.ties import TieOrder


class MaskedAndFuture(TieSplitter):
    """Targets are all of a user's items after a cut in time and a random share of those before it.

    Test targets: what lies behind the test cut, and of each user a share of what lies before it. The validation set is
    made in the same way of what is left, with the earlier cut. Inputs are the rest in order of time: with holes.

    valid_quantile, test_quantile, valid_time, test_time: the cuts, see GlobalTemporal.
    masked: share of a user's earlier items, rounded down: who has few may have none. seed: of their draw.
    Users whose items all lie behind the cut have no input; they are not asked.
    """

    def __init__(
        self,
        *,
        masked: float = 0.1,
        valid_quantile: float = 0.8,
        test_quantile: float = 0.9,
        valid_time: float | None = None,
        test_time: float | None = None,
        seed: int = 0,
        ties: TieOrder | None = None,
    ) -> None:
        super().__init__(ties=ties)
        if not 0 < masked < 0.5:
            raise ValueError(f"masked ({masked}) must be above 0 and below 0.5; set split.masked=0.1")
        self.masked = masked
        self.quantiles = (valid_quantile, test_quantile)
        self.times = (valid_time, test_time)
        self.seed = seed

    def split(self, sequences: UserSequences) -> Split:
        times = times_of(sequences, split="masked_and_future")
        valid_cut, test_cut = cut_times(times, self.quantiles, self.times)
        random, rows = np.random.default_rng(self.seed), sequences.items
        is_test = times >= test_cut
        is_test |= random_share(self.masked, ~is_test, rows.row_ids(), random)
        is_valid = ~is_test & (times >= valid_cut)
        is_valid |= random_share(self.masked, ~is_test & ~is_valid, rows.row_ids(), random)
        is_train = ~is_test & ~is_valid
        trained = np.bincount(rows.row_ids()[is_train], minlength=rows.num_rows) > 0
        asked = trained[rows.row_ids()]
        return split_where(
            sequences, train=is_train, valid=(is_train, is_valid & asked), test=(~is_test, is_test & asked)
        )

    def name(self) -> str:
        return f"masked {self.masked:g} (seed {self.seed}) and future from {cut_names(self.quantiles, self.times)}"
