"""MF-BPR: matrix factorisation (Rendle et al., UAI 2009)."""

import torch
from torch import Tensor, nn

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.layers import check_sizes, initialise
from recsys.scoring import ItemTable


class MatrixFactorisation(nn.Module):
    """A user's score of an item is the product of their vectors plus the item's bias.

    Differs from the paper: any loss over any candidates (BPR by default); negatives avoid the position's own item,
    where the paper's avoid all of the user's (`sampler/exclude=train`); the item bias is the authors' library's
    (MyMediaLite); the L2 penalty is the optimiser's `weight_decay`.

    init_std: standard deviation of the normal initialisation of the vectors.
    """

    reads_items = False
    has_user_vectors = True
    causal = True
    ranks_at_mask = False

    def __init__(self, catalogue: Catalogue, *, dim: int = 64, init_std: float = 0.1) -> None:
        super().__init__()
        check_sizes(dim=dim)
        self.users = nn.Embedding(catalogue.num_users, dim)
        self.items = nn.Embedding(catalogue.num_items, dim)
        self.bias = nn.Parameter(torch.zeros(catalogue.num_items))
        initialise(self, std=init_std)

    def queries(self, batch: TrainBatch) -> Tensor:
        return self.users(batch.users)[batch.rows]  # [N, D]

    def next_queries(self, batch: TrainBatch | EvalBatch) -> Tensor:
        return self.users(batch.users)

    def item_table(self) -> ItemTable:
        return ItemTable(self.items.weight, self.bias, sparse=self.items.sparse)
