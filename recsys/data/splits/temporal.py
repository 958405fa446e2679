"""One cut in time for all users: no training event is later than a test event."""

import numpy as np

from recsys.data.sequences import UserSequences
from recsys.data.splits.base import Split, TieSplitter, split_where
from recsys.data.splits.ties import TieOrder


class GlobalTemporal(TieSplitter):
    """Global temporal split: trained on what lies before `valid`, validated from there on, tested from `test` on.

    Inputs are all that lies before the part's own cut, so test inputs include the validation items. What avoids the
    leak of leave-one-out, where a model has learned from other users' later events (Ji et al., TOIS 2023).

    valid_quantile, test_quantile: the cuts, as shares of all interactions in order of time.
    valid_time, test_time: the cuts as times, as the data's timestamps count; each takes the place of its quantile.
    max_targets: of each user, the first so many after the cut; 1 asks for the next item; None: all of them.
    ask_cold_users: whether users without a training item are asked. Where even the first item of theirs lies behind the
        cut, it becomes the input; who has nothing else is not asked.
    """

    def __init__(
        self,
        *,
        valid_quantile: float = 0.8,
        test_quantile: float = 0.9,
        valid_time: float | None = None,
        test_time: float | None = None,
        max_targets: int | None = None,
        ask_cold_users: bool = False,
        ties: TieOrder | None = None,
    ) -> None:
        super().__init__(ties=ties)
        if not 0 < valid_quantile < test_quantile < 1:
            raise ValueError(
                f"valid_quantile ({valid_quantile}) and test_quantile ({test_quantile}) must ascend between 0 and 1; "
                "set split.valid_quantile=0.8 split.test_quantile=0.9"
            )
        self.quantiles = (valid_quantile, test_quantile)
        self.times = (valid_time, test_time)
        self.max_targets = max_targets
        self.ask_cold_users = ask_cold_users

    def split(self, sequences: UserSequences) -> Split:
        times = times_of(sequences, split="temporal")
        valid_cut, test_cut = cut_times(times, self.quantiles, self.times)
        train = times < valid_cut
        cold = np.bincount(sequences.items.row_ids()[train], minlength=sequences.num_users) == 0
        return split_where(
            sequences,
            train=train,
            valid=self._questions(sequences, before=train, after=~train & (times < test_cut), cold=cold),
            test=self._questions(sequences, before=times < test_cut, after=times >= test_cut, cold=cold),
        )

    def _questions(
        self, sequences: UserSequences, *, before: np.ndarray, after: np.ndarray, cold: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Marks of inputs and targets, [N] each."""
        users = sequences.items.row_ids()
        if not self.ask_cold_users:
            after = after & ~cold[users]
        place = np.arange(len(users)) - sequences.items.starts[users]  # 0 is a user's first item ever
        first = after & (place == 0)
        inputs, targets = before | first, after & ~first
        if self.max_targets is not None:
            targets &= _nth(targets, users) < self.max_targets
        return inputs, targets

    def name(self) -> str:
        asked = "all items" if self.max_targets is None else f"the next {self.max_targets}"
        cold = "asked from their second item on" if self.ask_cold_users else "not asked"
        return f"global temporal at {cut_names(self.quantiles, self.times)}; {asked}; cold users are {cold}"


def times_of(sequences: UserSequences, *, split: str) -> np.ndarray:
    """Timestamps [N]. Raises ValueError where the data has none."""
    if sequences.timestamps is None:
        raise ValueError(
            f"split={split} needs timestamps and {sequences.name} has none; name their column (data.reader.timestamp), "
            "or set split=leave_one_out"
        )
    return np.asarray(sequences.timestamps)


def cut_times(
    times: np.ndarray, quantiles: tuple[float, float], given: tuple[float | None, float | None]
) -> tuple[float, float]:
    """The two cuts; events at a cut lie behind it. Raises ValueError where they don't ascend or leave a part empty."""
    valid, test = (
        float(np.quantile(times, quantile, method="higher")) if time is None else time
        for quantile, time in zip(quantiles, given, strict=True)
    )
    if not times.min() < valid < test <= times.max():
        raise ValueError(
            f"the cuts in time ({valid:g}, {test:g}) must ascend within the data's times ({times.min():g} to "
            f"{times.max():g}), so that no part is empty; set split.valid_time and split.test_time"
        )
    return valid, test


def cut_names(quantiles: tuple[float, float], given: tuple[float | None, float | None]) -> str:
    """How the two cuts were asked for."""
    names = [f"quantile {q}" if time is None else f"time {time:g}" for q, time in zip(quantiles, given, strict=True)]
    return " and ".join(names)


def _nth(marks: np.ndarray, users: np.ndarray) -> np.ndarray:
    """How many marked events of the same user come before each event, [N]; users ascend."""
    before = np.cumsum(marks) - marks
    starts = np.flatnonzero(np.diff(users, prepend=-1))
    return before - np.repeat(before[starts], np.diff(np.append(starts, len(users))))
