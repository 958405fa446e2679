"""Losses that compare the positive with its negatives, one by one or as a weighted whole."""

from torch import Tensor

from recsys.candidates import Candidates
from recsys.losses import closed_form, functional
from recsys.losses.base import RankingLoss


class BPR(RankingLoss):
    """Bayesian personalised ranking (Rendle et al., UAI 2009): mean_k -log s(x+ - x_k), s the sigmoid.

    Mean over the negatives. Adding a constant to all scores changes nothing, so a score is not a probability.
    """

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        return functional.bpr(logits, candidates.target)

    def value_and_grad(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        return closed_form.bpr(logits, candidates.target)


class BPRMax(RankingLoss):
    """BPR-max (Hidasi and Karatzoglou, CIKM 2018): the positive against a soft maximum of its negatives.

    -log sum_k p_k s(x+ - x_k) + regularisation * sum_k p_k x_k^2, p the softmax over the negatives. With one negative
    and no regularisation it is BPR.
    Differs from the paper: logits are not passed through an activation first, as GRU4Rec's output layer may do.

    regularisation: weight of the pull of the negatives' scores to 0; 1 in the authors' code.
    """

    def __init__(self, *, regularisation: float = 1.0) -> None:
        super().__init__()
        check_regularisation(regularisation)
        self.regularisation = regularisation

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        return functional.bpr_max(logits, candidates.target, regularisation=self.regularisation)

    def value_and_grad(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        return closed_form.bpr_max(logits, candidates.target, regularisation=self.regularisation)


class TOP1Max(RankingLoss):
    """TOP1-max (Hidasi and Karatzoglou, CIKM 2018): a smooth share of negatives above the positive, the top ones most.

    sum_k p_k (s(x_k - x+) + regularisation * s(x_k^2)), p the softmax over the negatives, s the sigmoid.

    regularisation: weight of the pull of the negatives' scores to 0; 1 in the paper.
    """

    def __init__(self, *, regularisation: float = 1.0) -> None:
        super().__init__()
        check_regularisation(regularisation)
        self.regularisation = regularisation

    def forward(self, logits: Tensor, candidates: Candidates) -> Tensor:
        return functional.top1_max(logits, candidates.target, regularisation=self.regularisation)

    def value_and_grad(self, logits: Tensor, candidates: Candidates) -> tuple[Tensor, Tensor]:
        return closed_form.top1_max(logits, candidates.target, regularisation=self.regularisation)


def check_regularisation(value: float) -> None:
    """Raises ValueError where it would push scores apart instead of to 0."""
    if value < 0:
        raise ValueError(f"regularisation ({value}) must not be negative; set loss.regularisation=0 for none")
