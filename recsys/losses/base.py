"""The contract of a loss over scored candidates."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from recsys.candidates import Candidates


class RankingLoss(nn.Module):
    """A loss over the logits of N positions against C candidates each; never sees padding, never knows the model.

    link: what turns a logit into a probability. None where the loss has none.
    temperature: what the loss divides logits by; corrections of sampled logits come after that.
    """

    link: ClassVar[Callable[[Tensor], Tensor] | None] = None
    temperature: float = 1.0

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        """Logits [N, C], -inf where a candidate does not count, and what they are logits of -> losses [N]."""
        raise NotImplementedError

    @property
    def is_cross_entropy(self) -> bool:
        """Whether it is -log softmax(logits / temperature)[positive], for which there is a shorter way."""
        return False

    def value_and_grad(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        """The loss of each position [N] and its gradient in the logits [N, C]; may overwrite `logits`.

        A loss with a cheap closed form overrides this; a contract test holds it to the derivative of `forward`.
        """
        with torch.enable_grad():
            logits = logits.detach().requires_grad_()
            value = self(logits, candidates)
            (gradient,) = torch.autograd.grad(value.sum(), logits)
        return value.detach(), gradient

    def predict_proba(self, logits: Tensor) -> Tensor:
        """Probabilities [N, C] under the loss's own link; ValueError where the loss defines none."""
        if type(self).link is None:
            raise ValueError(
                f"{type(self).__name__} defines no probability; rank by the logits, or train with bce or ce"
            )
        return type(self).link(logits)  # pyright: ignore[reportOptionalCall]


softmax = partial(torch.softmax, dim=-1)
