"""SLIM: sparse linear methods (Ning and Karypis, ICDM 2011), solved by ADMM (Steck et al., WSDM 2020)."""

import warnings

import torch
from torch import Tensor

from recsys.data.batches import EvalBatch
from recsys.data.catalogue import Catalogue
from recsys.models.bags import co_occurrence, seen_bags
from recsys.models.closed_form import ClosedFormModel
from recsys.models.ease import regularised_inverse

RELAXATION = 1.6  # of each step, where 1 is none and 2 the limit; 1.5 to 1.8 is usual (Boyd et al., FnT ML 2011)


class SLIM(ClosedFormModel):
    """Scores X W, X [U, V] the users' bags of items and W [V, V] >= 0 with a zero diagonal the solution of

        1/2 |X - X W|^2 + l2 / 2 |W|^2 + l1 |W|_1.

    All columns are solved at once by the alternating direction method of multipliers: W is split into D, which obeys
    the squares and the zero diagonal, and S, which obeys the signs and l1, and each step pulls the two together.
    Differs from ADMM-SLIM as published: steps are over-relaxed and end when converged, not after a fixed number.

    rho: how hard the two are pulled together; changes the number of steps, not the solution.
    tolerance: the steps end when D and S, and two S in a row, differ by less than this share of the norm of S.
    max_steps: end of the steps at the latest, with a warning. A step is a product of [V, V] matrices.
    Memory: 32 V^2 bytes while fitting (13 GB for 20,000 items), then 4 V^2.
    """

    weights: Tensor

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        l1: float,
        l2: float,
        rho: float = 1000.0,
        tolerance: float = 0.005,
        max_steps: int = 100,
    ) -> None:
        super().__init__(catalogue)
        for name, value in {"l1": l1, "l2": l2, "rho": rho, "tolerance": tolerance, "max_steps": max_steps}.items():
            if value <= 0:
                raise ValueError(f"{name} ({value}) must be above 0; set model.{name} to a positive number")
        self.l1 = l1
        self.l2 = l2
        self.rho = rho
        self.tolerance = tolerance
        self.max_steps = max_steps
        self.register_buffer("weights", torch.zeros(catalogue.num_items, catalogue.num_items))

    def fit(self) -> None:
        inverse = regularised_inverse(co_occurrence(self.catalogue), self.l2 + self.rho).float()
        sparse, dual = torch.zeros_like(inverse), torch.zeros_like(inverse)
        for _ in range(self.max_steps):
            before, dense = sparse, self._dense(inverse, sparse, dual)
            dual += dense.mul_(RELAXATION).add_(sparse, alpha=1 - RELAXATION)
            sparse = (dual - self.l1 / self.rho).clamp_(min=0)
            dual -= sparse
            gap = max(dense.sub_(sparse).norm(), before.sub_(sparse).norm()) / sparse.norm().clamp(min=1e-12)
            if gap < self.tolerance:
                break
        else:
            warnings.warn(f"SLIM has not converged in model.max_steps={self.max_steps}; gap {gap:.1e}", stacklevel=2)
        self.weights.copy_(sparse)

    def _dense(self, inverse: Tensor, sparse: Tensor, dual: Tensor) -> Tensor:
        """D = P (X'X + rho (S - dual)) - P diag(m), P the inverse and m such that D's diagonal is zero."""
        pull = (sparse - dual).mul_(self.rho)
        pull.diagonal().sub_(self.l2 + self.rho)
        dense = inverse @ pull
        dense.diagonal().add_(1)  # P X'X = I - (l2 + rho) P
        return dense.addcmul_(inverse, dense.diagonal() / inverse.diagonal(), value=-1)

    def score_batch(self, batch: EvalBatch) -> Tensor:
        return seen_bags(batch, len(self.weights)) @ self.weights
