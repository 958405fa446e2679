"""Training on the last item: the query that ranks is the query that is trained."""

from torch import Tensor

from recsys.data.batches import TrainBatch
from recsys.models.base import QueryModel
from recsys.tasks.sequential import SequentialRecommender


class LastItemRecommender(SequentialRecommender):
    """One position of each row bears the loss, its last; for encoders of any kind, also such as see both ways."""

    def check(self, model: QueryModel) -> None:
        """Any model will do: a batch does not hold the items that it asks for."""

    def queries(self, batch: TrainBatch) -> Tensor:
        """What ranks each row's next item, [B, D]: for BERT4Rec the state of a mask behind the row."""
        return self.by_parts(self.model.next_queries, batch)
