"""FPMC: factorised personalised Markov chains (Rendle et al., WWW 2010)."""

import torch
from torch import Tensor, nn

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.layers import ItemEmbedding, check_sizes, initialise
from recsys.models.rows import last_state
from recsys.scoring import ItemTable


class FPMC(nn.Module):
    """score(user, last, item) = <user, item as liked> + <last, item as successor>: taste plus transition.

    Both products are one, of the two vectors laid end to end. The paper's third product, of user and last item, is
    the same for all items and so changes no ranking.
    Differs from the paper: baskets hold one item; any loss over any candidates (the paper's is BPR's); the L2
    penalty is the optimiser's `weight_decay`.

    dim: size of each of the four kinds of vectors.
    init_std: standard deviation of their normal initialisation.
    """

    reads_items = True
    has_user_vectors = True
    causal = True
    ranks_at_mask = False

    def __init__(self, catalogue: Catalogue, *, dim: int = 64, init_std: float = 0.02) -> None:
        super().__init__()
        check_sizes(dim=dim)
        self.users = nn.Embedding(catalogue.num_users, dim)
        self.last = ItemEmbedding(catalogue.num_items, dim=dim)
        self.items = nn.Embedding(catalogue.num_items, 2 * dim)
        initialise(self, std=init_std)

    def queries(self, batch: TrainBatch) -> Tensor:
        users = self.users(batch.users)[batch.rows]  # [N, D]
        return torch.cat([users, self.last(batch.at_targets(batch.items))], dim=1)  # [N, 2 D]

    def next_queries(self, batch: TrainBatch | EvalBatch) -> Tensor:
        lengths = (batch.items != self.last.num_items).sum(1)  # [B]
        last = last_state(batch.items, lengths)  # [B]; the zero vector of `pad` for an empty row
        return torch.cat([self.users(batch.users), self.last(last)], dim=1)  # [B, 2 D]

    def item_table(self) -> ItemTable:
        return ItemTable(self.items.weight, None, sparse=self.items.sparse)
