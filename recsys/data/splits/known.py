"""Another split without the questions that a trained model cannot answer."""

import numpy as np

from recsys.data.ragged import Ragged
from recsys.data.sequences import UserSequences
from recsys.data.splits.base import EvalSet, Split, Splitter, check_questions, rows_where


class KnownTargets:
    """Drops evaluation targets that were never trained on, or that stand in their own input.

    eSASRec's protocol (RecSys 2025) drops both. A user left without a target is not asked.

    split: the split that is made first. drop_cold: targets that no training row holds. drop_repeated: targets that
    the user's input holds already.
    """

    def __init__(self, split: Splitter, *, drop_cold: bool = True, drop_repeated: bool = True) -> None:
        self.inner = split
        self.drop_cold = drop_cold
        self.drop_repeated = drop_repeated

    def __call__(self, sequences: UserSequences) -> Split:
        split = self.inner(sequences)
        trained = np.zeros(sequences.num_items, dtype=bool)
        trained[split.train.flat()] = True
        kept = {}
        for name, part in (("valid", "validation"), ("test", "test")):
            kept[name] = self._known(getattr(split, name), trained)
            check_questions(kept[name], sequences, part=part)
        return split._replace(**kept)

    def ordered(self, sequences: UserSequences) -> UserSequences:
        return self.inner.ordered(sequences)

    def describe(self) -> str:
        drops = {"never trained on": self.drop_cold, "in their own input": self.drop_repeated}
        dropped = " or ".join(reason for reason, drop in drops.items() if drop)
        return f"{self.inner.describe()}; targets {dropped} dropped" if dropped else self.inner.describe()

    def _known(self, questions: EvalSet, trained: np.ndarray) -> EvalSet:
        keep = np.ones(int(questions.targets.lengths.sum()), dtype=bool)
        if self.drop_cold:
            keep &= trained[questions.targets.flat()]
        if self.drop_repeated:
            keep &= ~in_input(questions, num_items=len(trained))
        targets = rows_where(questions.targets, keep)
        rows = np.flatnonzero(targets.lengths)
        return EvalSet(questions.users[rows], questions.inputs.take(rows), targets.take(rows))


def in_input(questions: EvalSet, *, num_items: int) -> np.ndarray:
    """Whether each target, row after row, stands in its own row's input, [sum of target lengths] bool."""

    def pairs(rows: Ragged) -> np.ndarray:
        return rows.row_ids() * num_items + rows.flat()

    return np.isin(pairs(questions.targets), pairs(questions.inputs))
