"""MultiDAE and MultiVAE: autoencoders of bags of items (Liang et al., WWW 2018)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recsys.data.batches import EvalBatch, TrainBatch
from recsys.data.catalogue import Catalogue
from recsys.models.bags import seen_bags, target_bags
from recsys.models.dropout import Dropout
from recsys.models.layers import check_sizes


class MultiDAE(nn.Module):
    """A denoising autoencoder with a multinomial likelihood: -sum over the user's items of log softmax(decoded).

    The bag of a user's items is normalised to length 1 and thinned by dropout; tanh between the layers.
    Differs from the paper: a batch's loss is divided by the number of its items, not of its users; there is no L2
    penalty but the optimiser's `weight_decay`.

    hidden: sizes between the catalogue and the latent vector, in the decoder in reverse; dim: size of the latter.
    dropout: on the input.
    """

    def __init__(
        self, catalogue: Catalogue, *, hidden: Sequence[int] = (600,), dim: int = 200, dropout: float = 0.5
    ) -> None:
        super().__init__()
        check_sizes(dim=dim, **{f"hidden[{place}]": size for place, size in enumerate(hidden)})
        self.num_items = catalogue.num_items
        self.dropout = Dropout(dropout)
        self.encoder = layers([self.num_items, *hidden, self.num_latent(dim)])
        self.decoder = layers([dim, *reversed(hidden), self.num_items])

    def num_latent(self, dim: int) -> int:
        """Outputs of the encoder for a latent vector of size `dim`."""
        return dim

    def encode(self, bags: Tensor) -> Tensor:
        """Bags [B, V] -> encoder outputs [B, num_latent]."""
        return self.encoder(self.dropout(F.normalize(bags)))

    def latent(self, encoded: Tensor) -> Tensor:
        """Encoder outputs -> latent vectors [B, dim]."""
        return torch.tanh(encoded)

    def objective(self, batch: TrainBatch) -> Tensor:
        """The mean over the users' items of their negative log-likelihood."""
        bags = target_bags(batch, self.num_items)  # [B, V]
        return self.negative_log_likelihood(self.encode(bags), bags)

    def negative_log_likelihood(self, encoded: Tensor, bags: Tensor) -> Tensor:
        """-sum over users and their items of log softmax(decoded), divided by the number of those items."""
        logits = self.decoder(self.latent(encoded))  # [B, V]
        return -(F.log_softmax(logits, dim=1) * bags).sum() / bags.sum()

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return self.decoder(self.latent(self.encode(seen_bags(batch, self.num_items))))


class MultiVAE(MultiDAE):
    """The variational form: latent vectors are drawn from the encoder's normal distributions while training.

    To the negative log-likelihood comes beta times the Kullback-Leibler divergence of these distributions from the
    standard normal one, beta rising linearly from 0. The mean of the distribution ranks.

    beta: its final value; anneal_steps: training steps until it is reached. The paper's for MovieLens-20M: 0.2 and
    40,000 of 500 users each.
    """

    steps: Tensor

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        hidden: Sequence[int] = (600,),
        dim: int = 200,
        dropout: float = 0.5,
        beta: float = 0.2,
        anneal_steps: int = 300,
    ) -> None:
        super().__init__(catalogue, hidden=hidden, dim=dim, dropout=dropout)
        if anneal_steps < 1:
            raise ValueError(f"anneal_steps ({anneal_steps}) must be at least 1; set model.anneal_steps=1 or more")
        if beta < 0:
            raise ValueError(f"beta ({beta}) must not be negative; set model.beta=0 or more")
        self.beta = beta
        self.anneal_steps = anneal_steps
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))  # so that a resumed run goes on from it

    def num_latent(self, dim: int) -> int:
        return 2 * dim  # means and log variances

    def latent(self, encoded: Tensor) -> Tensor:
        mean, log_variance = encoded.chunk(2, dim=1)
        return mean + torch.randn_like(mean) * (log_variance / 2).exp() if self.training else mean

    def objective(self, batch: TrainBatch) -> Tensor:
        bags = target_bags(batch, self.num_items)  # [B, V]
        encoded = self.encode(bags)
        beta = self.beta * (self.steps / self.anneal_steps).clamp(max=1)
        self.steps += 1
        return self.negative_log_likelihood(encoded, bags) + beta * divergence(encoded) / bags.sum()


def divergence(encoded: Tensor) -> Tensor:
    """Sum over users of KL(N(mean, variance) || N(0, 1)), from [B, 2 D] means and log variances."""
    mean, log_variance = encoded.chunk(2, dim=1)
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2


def layers(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers from size to size with tanh between them, Xavier-initialised."""
    parts: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        linear = nn.Linear(inputs, outputs)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        parts += [linear, nn.Tanh()]
    return nn.Sequential(*parts[:-1])
