"""Training by the cloze task: hidden items are told from those around them."""

from recsys.models.base import QueryModel
from recsys.tasks.sequential import SequentialRecommender


class ClozeRecommender(SequentialRecommender):
    """The masked step over a `Cloze` collator's batches: what stands at a mask is trained, and so what ranks."""

    def check(self, model: QueryModel) -> None:
        """Raises ValueError where `model` ranks by a state that hiding items would never train."""
        if not model.ranks_at_mask:
            raise ValueError(
                f"{type(model).__name__} does not rank by the state of a mask, which is all that task=cloze trains; "
                "set task=next_item or task=last_item"
            )
