"""Paired tests against scipy called directly, closed forms and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from recsys.report.significance import (
    Comparison,
    bootstrap_interval,
    compare_paired,
    holm,
    randomisation_test,
)


def null(generator: np.random.Generator) -> np.ndarray:
    """A metric of 80 users, mostly zero, as ranking metrics are."""
    return generator.choice([0, 0.4, 1], 80, p=[0.8, 0.1, 0.1])


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_t_and_wilcoxon_are_scipys() -> None:
    a, b = rng().normal(0.3, 1, 60), rng().normal(0, 1, 60)[::-1].copy()
    compared = compare_paired(a, than=b)
    assert compared.t_test == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert compared.wilcoxon == pytest.approx(stats.wilcoxon(a, b).pvalue)


def test_randomisation_agrees_with_scipys_permutation_test() -> None:
    a, b = rng().choice([0, 0.5, 0.63, 1], 200), np.random.default_rng(6).choice([0, 0.5, 0.63, 1], 200)
    expected = stats.permutation_test((a, b), lambda x, y: np.mean(x - y), permutation_type="samples", rng=1)
    assert compare_paired(a, than=b).randomisation == pytest.approx(expected.pvalue, rel=0.25)


def test_a_small_p_gets_more_digits_than_a_large_one() -> None:
    differences = np.random.default_rng(2).normal(0.32, 1, 150)  # all of a size of their own
    expected = stats.ttest_1samp(differences, 0).pvalue  # which randomisation approaches for normal values
    assert expected < 1e-3
    assert randomisation_test(differences, resamples=100_000, rng=rng()) == pytest.approx(expected, rel=0.5)
    copies = np.repeat(differences[:5], 30)  # few sizes, many of each
    few = randomisation_test(copies, resamples=100_000, rng=rng())
    assert few == pytest.approx(stats.ttest_1samp(copies, 0).pvalue, rel=0.5, abs=1e-4)


def test_three_seeds_all_better_have_the_exact_p_of_a_quarter() -> None:
    compared = compare_paired([0.3, 0.4, 0.5], than=[0.1, 0.3, 0.2])
    assert compared.randomisation == 0.25  # 2 of 2^3 sign patterns are as extreme
    assert compared.wilcoxon == 0.25


def test_mean_effect_and_shares_by_hand() -> None:
    compared = compare_paired([1, 0, 0.5, 0.5], than=[0, 0.5, 0.5, 0.25])
    assert compared.mean == pytest.approx(0.1875)
    assert compared.effect == pytest.approx(0.1875 / math.sqrt((0.8125**2 + 0.6875**2 + 0.1875**2 + 0.0625**2) / 3))
    assert (compared.n, compared.better, compared.worse) == (4, 0.5, 0.25)


def test_swapping_the_sides_mirrors_the_answer() -> None:
    a, b = rng().random(30), np.random.default_rng(7).random(30)
    one, other = compare_paired(a, than=b), compare_paired(b, than=a)
    assert (one.mean, one.effect, one.better) == pytest.approx((-other.mean, -other.effect, other.worse))
    assert one.t_test == pytest.approx(other.t_test)


def test_equal_values_are_no_difference_and_a_single_pair_has_no_test() -> None:
    same = compare_paired([0.1, 0.2], than=[0.1, 0.2])
    assert (same.t_test, same.wilcoxon, same.randomisation, same.low, same.high) == (1, 1, 1, 0, 0)
    assert math.isnan(same.effect)
    single = compare_paired([0.5], than=[0.25])
    assert single.mean == 0.25
    assert np.isnan([single.low, single.t_test, single.wilcoxon, single.randomisation]).all()


def test_a_constant_difference_is_certain() -> None:
    compared = compare_paired(np.full(50, 0.5), than=np.full(50, 0.25))
    assert compared.t_test == 0
    assert compared.randomisation == pytest.approx(1 / 100_001)


@pytest.mark.parametrize(
    ("a", "b", "message"), [([1, 2], [1], "of one length"), ([], [], "of one length"), ([1, np.nan], [1, 2], "finite")]
)
def test_unpaired_or_missing_values_are_refused(a: list, b: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare_paired(a, than=b)


def test_the_bootstrap_interval_is_the_normal_one_for_many_users() -> None:
    differences = rng().normal(0.1, 1, 4000)
    low, high = bootstrap_interval(differences, resamples=4_000, rng=rng())
    half = 1.96 * differences.std(ddof=1) / math.sqrt(4000)
    assert (low, high) == pytest.approx((differences.mean() - half, differences.mean() + half), abs=0.003)


def test_the_bootstrap_interval_agrees_with_scipys() -> None:
    differences = rng().choice([-1.0, 0.0, 0.5], 150)
    expected = stats.bootstrap((differences,), np.mean, method="percentile", n_resamples=20_000, rng=1)
    assert bootstrap_interval(differences, resamples=20_000, rng=rng()) == pytest.approx(
        tuple(expected.confidence_interval), abs=0.01
    )


def test_false_positives_under_the_null_are_as_rare_as_promised() -> None:
    generator = np.random.default_rng(0)
    runs = [compare_paired(null(generator), than=null(generator), resamples=400, flips=400) for _ in range(600)]
    for name in ("t_test", "wilcoxon", "randomisation"):
        rate = np.mean([getattr(run, name) < 0.05 for run in runs])
        assert 0.02 < rate < 0.08, name  # 3 standard errors around .05
    covered = np.mean([run.low <= 0 <= run.high for run in runs])
    assert 0.91 < covered < 0.98


def test_a_real_difference_is_found() -> None:
    differences = rng().normal(0.3, 1, 300)
    assert randomisation_test(differences, resamples=2000, rng=rng()) < 0.01


def test_holm_by_hand() -> None:
    # .01 * 4, .02 * 3, .03 * 2 (not below the one before), .04 * 1 -> .06 by monotonicity
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.4, 0.9]) == pytest.approx([0.8, 0.9])
    assert holm([]) == []


def test_holm_leaves_out_what_is_unknown() -> None:
    first, unknown, last = holm([0.02, math.nan, 0.04])
    assert (first, last) == pytest.approx((0.04, 0.04))
    assert math.isnan(unknown)


def test_holm_keeps_the_family_wise_error_rate() -> None:
    families = np.random.default_rng(1).random((2000, 8))
    assert np.mean([min(holm(family)) < 0.05 for family in families]) == pytest.approx(0.05, abs=0.015)


def test_a_comparison_is_the_same_each_time() -> None:
    a, b = rng().random(100), np.random.default_rng(8).random(100)
    assert isinstance(compare_paired(a, than=b), Comparison)
    assert compare_paired(a, than=b) == compare_paired(a, than=b)
