"""GRU4Rec: a recurrent network over the item sequence (Hidasi et al., ICLR 2016; Hidasi and Karatzoglou, CIKM 2018)."""

from collections.abc import Callable

from torch import Tensor, nn

from recsys.data.catalogue import Catalogue
from recsys.models.base import SequentialModel
from recsys.models.dropout import Dropout
from recsys.models.layers import ItemEmbedding, check_sizes, initialise
from recsys.models.outputs import TiedOutput
from recsys.scoring import ItemTable


class GRU4Rec(SequentialModel):
    """Gated recurrent units read the items one by one; the state after each is what the next item is ranked by.

    Differs from the paper: a batch holds whole, right-padded sequences, each read from a zero state, where the
    authors run sessions in parallel and cut the gradient after every item; the loss is the softmax over the catalogue,
    theirs BPR or TOP1 and later BPR-max or a sampled softmax over the batch's items. Sizes, the projection back to the
    embedding's size and the dropout on embeddings alone are RecBole's, whose figures on MovieLens-100K are published.
    The authors' own variants: `output=TiedOutput` is their constrained embedding, `SeparateOutput` their separate
    one, hidden_dim = dim leaves the projection out.

    dim: size of the item embedding and of the output table; hidden_dim: of the recurrent state.
    dropout: on embeddings. init_std: standard deviation of the item embedding's normal initialisation.
    output: makes the output layer from the number of items and dim.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        dim: int = 64,
        hidden_dim: int = 128,
        num_layers: int = 1,
        dropout: float = 0.3,
        init_std: float = 0.02,
        output: Callable[..., nn.Module] = TiedOutput,
    ) -> None:
        super().__init__(catalogue)
        check_sizes(hidden_dim=hidden_dim, num_layers=num_layers)
        self.embedding = ItemEmbedding(catalogue.num_items, dim=dim)
        self.dropout = Dropout(dropout)
        self.gru = nn.GRU(dim, hidden_dim, num_layers, batch_first=True)
        self.projection = nn.Identity() if hidden_dim == dim else nn.Linear(hidden_dim, dim)
        self.output = output(catalogue.num_items, dim=dim)
        for table in (self.embedding, self.output):
            initialise(table, std=init_std)

    def encode(self, items: Tensor) -> Tensor:
        states, _ = self.gru(self.dropout(self.embedding(items)))  # [B, L, hidden_dim]
        return self.projection(states)  # [B, L, D]

    def item_table(self) -> ItemTable:
        return self.output(self.embedding)
