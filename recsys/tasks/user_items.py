"""Training on users' bags of items: the user alone tells which."""

from recsys.models.base import QueryModel
from recsys.tasks.sequential import SequentialRecommender


class UserItemsRecommender(SequentialRecommender):
    """The fine-tune step over a `Bag` collator's batches, whose inputs are all padding."""

    def check(self, model: QueryModel) -> None:
        """Raises ValueError where `model` reads items, of which there are none."""
        if model.reads_items:
            raise ValueError(
                f"{type(model).__name__} reads a user's items, and task=user_items shows none; set task=next_item"
            )
