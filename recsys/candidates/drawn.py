"""What samplers that draw negatives from a distribution share."""

from collections.abc import Callable

from torch import Tensor

from recsys.candidates.base import CandidateSampler
from recsys.candidates.exclusion import Excluded, Exclusion, Positive
from recsys.candidates.uniform import Distribution, Uniform
from recsys.data.catalogue import Catalogue


class DrawnNegatives(CandidateSampler):
    """`num_negatives` items, drawn with replacement, next to each position's positive.

    distribution, exclude: made from the catalogue.
    log_q: whether the candidates' logits are corrected by the log of how often each is expected to be drawn (sampled
    softmax, Bengio and Senecal 2008). Where the positive may be drawn, its own logit is corrected as well; where it is
    excluded, it stands for itself alone and is not. With the uniform distribution and exclude=nothing the correction is
    the same everywhere, and softmax and pairwise losses do not notice it. With exclude=nothing the reported loss
    lies off the full softmax's by the positive's own correction, a constant without gradient.
    """

    log_q: Tensor | None

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        num_negatives: int,
        distribution: Callable[[Catalogue], Distribution] = Uniform,
        exclude: Callable[[Catalogue], Exclusion] = Positive,
        log_q: bool = False,
    ) -> None:
        super().__init__()
        if num_negatives < 1:
            raise ValueError(f"num_negatives ({num_negatives}) must be at least 1; set sampler.num_negatives=1 or more")
        if catalogue.num_items < 2:
            raise ValueError(f"num_items ({catalogue.num_items}) must be at least 2 for a negative to exist")
        self.num_items = catalogue.num_items
        self.num_negatives = num_negatives
        self.distribution = distribution(catalogue)
        self.exclude = exclude(catalogue)
        self.register_buffer("log_q", self.distribution.expected_log_count(num_negatives) if log_q else None, False)

    def positives_bonus(self, positives: Tensor, excluded: Excluded | None) -> Tensor | None:
        """What takes the correction of positives [N] back where they are excluded from the draws, [N]."""
        return None if self.log_q is None or excluded is None else self.log_q[positives]
