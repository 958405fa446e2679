"""Whether one model is better than another: paired tests, an interval, effect sizes, and Holm's correction."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 10_000  # of the bootstrap
FLIPS = 100_000  # most random sign patterns, so the smallest p is 1e-5
RARE = 32  # a binomial draw costs as much as so many bits
ENOUGH = 200  # hits: p is then known to 7 % of itself
_ROUNDING = 1e-9  # relative: sums of the same numbers in another order still count as equal


class Comparison(NamedTuple):
    """Of paired values a and b: n pairs, a minus b.

    mean, low, high: of the differences, with the bounds of the bootstrap interval (nan for fewer than two pairs).
    effect: Cohen's d of paired values, mean / deviation of the differences; nan where it has no deviation.
    better, worse: shares of the pairs where a is above and below b; the rest are ties.
    t_test, wilcoxon, randomisation: two-sided p-values; nan for fewer than two pairs, 1 where nothing differs.
    """

    n: int
    mean: float
    low: float
    high: float
    effect: float
    better: float
    worse: float
    t_test: float
    wilcoxon: float
    randomisation: float

    def mirrored(self) -> "Comparison":
        """The same of b minus a."""
        return self._replace(
            mean=-self.mean,
            low=-self.high,
            high=-self.low,
            effect=-self.effect,
            better=self.worse,
            worse=self.better,
        )


def compare_paired(
    a: ArrayLike, *, than: ArrayLike, resamples: int = RESAMPLES, flips: int = FLIPS, seed: int = 0
) -> Comparison:
    """All of a `Comparison`: of a metric's values per user, or of its means per seed, in the same order in both.

    The three tests ask the same question with ever fewer assumptions: Student's t (the mean is normal), Wilcoxon's
    signed ranks (the differences are symmetric), Fisher's randomisation (under the null each sign is a coin's).
    Smucker et al. (CIKM 2007) recommend the last for rankings. ValueError for unpaired or missing values.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(than, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"paired values must be two lists of one length, got {first.shape} and {second.shape}")
    differences = first - second
    if not np.isfinite(differences).all():
        raise ValueError("paired values must be finite; leave out the pairs in which one is missing")
    rng = np.random.default_rng(seed)
    low, high = bootstrap_interval(differences, resamples=resamples, rng=rng)
    deviation = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    return Comparison(
        n=len(differences),
        mean=float(differences.mean()),
        low=low,
        high=high,
        effect=float(differences.mean() / deviation) if deviation > 0 else np.nan,
        better=float((differences > 0).mean()),
        worse=float((differences < 0).mean()),
        t_test=t_test(differences),
        wilcoxon=wilcoxon(differences),
        randomisation=randomisation_test(differences, resamples=flips, rng=rng),
    )


def t_test(differences: np.ndarray) -> float:
    """Two-sided p of Student's paired t."""
    if len(differences) < 2:
        return np.nan
    if not differences.any():
        return 1.0
    with warnings.catch_warnings(), np.errstate(divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # all differences alike: p is 0, and scipy doubts its digits
        result: Any = stats.ttest_1samp(differences, 0)
    return float(result.pvalue)


def wilcoxon(differences: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed ranks; ties with zero are dropped, as Wilcoxon did."""
    if len(differences) < 2:
        return np.nan
    if not differences.any():
        return 1.0
    result: Any = stats.wilcoxon(differences)
    return float(result.pvalue)


def randomisation_test(differences: np.ndarray, *, resamples: int, rng: np.random.Generator) -> float:
    """Two-sided p of the sign-flip test: how often random signs give a sum as large as the one seen.

    Exact where there are no more sign patterns than `resamples`. Else (1 + hits) / (1 + draws), drawing until there are
    ENOUGH hits or `resamples` draws (Besag and Clifford, Biometrika 1991): a small p, which Holm's factor multiplies,
    gets the digits that a large one doesn't need.
    """
    if len(differences) < 2:
        return np.nan
    signed = differences[differences != 0]
    seen = abs(signed.sum()) * (1 - _ROUNDING)
    if len(signed) < 40 and 2 ** len(signed) <= resamples:
        patterns = 1 - 2 * (np.arange(2 ** len(signed))[:, None] >> np.arange(len(signed)) & 1)  # [2^n, n]
        return float((abs(patterns @ signed) >= seen).mean())
    sizes, counts = np.unique(abs(signed), return_counts=True)
    hits = draws = 0
    for size in _chunks(resamples, width=len(sizes), largest=2000):
        hits += int((abs(_random_sums(sizes, counts, draws=size, rng=rng)) >= seen).sum())
        draws += size
        if hits >= ENOUGH:
            break
    return (1 + hits) / (1 + draws)


def _random_sums(sizes: np.ndarray, counts: np.ndarray, *, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Sums [draws] under random signs of `counts` values of each size.

    A random bit per value; where many are of one size, the number of their plus signs, which is binomial.
    """
    rare = counts <= RARE
    values = np.repeat(sizes[rare], counts[rare])
    num_bytes = -(-len(values) // 8)
    drawn = np.frombuffer(rng.bytes(draws * num_bytes), dtype=np.uint8).reshape(draws, num_bytes)
    bits = np.unpackbits(drawn, axis=1, count=len(values)).astype(np.float64)
    plus = rng.binomial(counts[~rare], 0.5, size=(draws, int((~rare).sum())))
    return 2 * (bits @ values) - values.sum() + (2 * plus - counts[~rare]) @ sizes[~rare]


def bootstrap_interval(
    differences: np.ndarray, *, resamples: int, rng: np.random.Generator, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Percentile bootstrap (Efron, 1979) of the mean: drawing pairs again is drawing counts of the distinct values."""
    if len(differences) < 2:
        return np.nan, np.nan
    values, counts = np.unique(differences, return_counts=True)
    means = [
        rng.multinomial(len(differences), counts / len(differences), size=size) @ values / len(differences)
        for size in _chunks(resamples, width=len(values))
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Scand. J. Statistics 1979): max over j <= i of min(1, (m - j + 1) p_(j)).

    Controls the chance of any false positive in the family, whatever depends on what. nan stays nan and isn't counted.
    """
    p = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    corrected = np.full(len(p), np.nan)
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.maximum.accumulate(np.minimum(1, factors * p[order]))
    return corrected.tolist()


def _chunks(total: int, *, width: int, largest: int = 10_000, budget: int = 2_000_000) -> list[int]:
    """Sizes up to `largest` that add up to `total`; a block of `width` columns stays within `budget` numbers."""
    step = max(1, min(largest, budget // max(1, width)))
    return [min(step, total - start) for start in range(0, total, step)]
