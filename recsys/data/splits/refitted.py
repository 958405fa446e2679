"""Another split, nothing of which is held out any more."""

from recsys.data.sequences import UserSequences
from recsys.data.splits.base import Split, Splitter


class Refitted:
    """Trains on every interaction; the questions are those of the other split, whose answers are trained on now.

    split: the other split, by which the model was chosen.
    """

    def __init__(self, split: Splitter) -> None:
        self.inner = split

    def __call__(self, sequences: UserSequences) -> Split:
        return self.inner(sequences)._replace(train=self.ordered(sequences).items)

    def ordered(self, sequences: UserSequences) -> UserSequences:
        return self.inner.ordered(sequences)

    def describe(self) -> str:
        return f"{self.inner.describe()}; trained on everything"
