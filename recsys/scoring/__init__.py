"""From hidden states to logits, and from logits to a mean loss in bounded memory."""

from recsys.scoring.mean_loss import mean_loss, plain_loss
from recsys.scoring.table import ItemTable, score

__all__ = ["ItemTable", "mean_loss", "plain_loss", "score"]
