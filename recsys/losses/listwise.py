"""Losses that judge all candidates together."""

from torch import Tensor

from recsys.candidates import Candidates
from recsys.losses import closed_form, functional
from recsys.losses.base import RankingLoss, softmax


class CrossEntropy(RankingLoss):
    """Softmax cross-entropy over the candidates: -log softmax(x / T)[positive], the whole catalogue by default.

    Over sampled candidates with their log q subtracted (an argument of the samplers) this is the sampled softmax.

    label_smoothing: share e of the target that is spread evenly over all candidates, the positive included.
    temperature: T; below 1 the hardest negatives weigh more.
    """

    link = staticmethod(softmax)

    def __init__(self, *, label_smoothing: float = 0.0, temperature: float = 1.0) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing ({label_smoothing}) must be at least 0 and below 1; set it in loss")
        if temperature <= 0:
            raise ValueError(f"temperature ({temperature}) must be above 0; set loss.temperature, 1 for none")
        self.label_smoothing = label_smoothing
        self.temperature = temperature

    @property
    def is_cross_entropy(self) -> bool:
        return type(self) is CrossEntropy and not self.label_smoothing  # what a subclass makes of it is not known

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        return functional.cross_entropy(
            logits / self.temperature, candidates.target, label_smoothing=self.label_smoothing
        )

    def value_and_grad(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        if self.temperature != 1:
            logits.div_(self.temperature)
        value, gradient = closed_form.cross_entropy(logits, candidates.target, label_smoothing=self.label_smoothing)
        if self.temperature != 1:
            gradient.div_(self.temperature)
        return value, gradient

    def predict_proba(self, logits: Tensor) -> Tensor:
        return super().predict_proba(logits / self.temperature)
