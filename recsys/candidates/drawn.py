"""What samplers that draw negatives from a distribution share."""

from collections.abc import Callable

from torch import Tensor

from recsys.candidates.base import CandidateSampler
from recsys.candidates.exclusion import Exclusion, Positive
from recsys.candidates.uniform import Distribution, Uniform
from recsys.data.catalogue import Catalogue


class DrawnNegatives(CandidateSampler):
    """`num_negatives` items, drawn with replacement, next to each position's positive.

    distribution, exclude: made from the catalogue. log_q: whether logits are corrected by the log of the expected
    number of draws (sampled softmax, Bengio and Senecal 2008).
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
