"""Calibration against a computation by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from recsys.metrics.calibration import expected_calibration_error, reliability


def test_by_hand() -> None:
    table = reliability(np.array([0.1, 0.15, 0.2, 0.95, 1.0]), np.array([0, 1, 0, 1, 1]), bins=5)
    assert table.to_dict("list") == {
        "low": [0.0, 0.8],
        "high": [0.2, 1.0],
        "count": [3, 2],
        "promised": [pytest.approx(0.15), pytest.approx(0.975)],
        "happened": [pytest.approx(1 / 3), 1.0],
    }
    assert expected_calibration_error(table) == pytest.approx(3 / 5 * (1 / 3 - 0.15) + 2 / 5 * 0.025)


def test_as_scikit_learn_has_it() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random(5000)
    outcomes = rng.random(5000) < probabilities**2
    table = reliability(probabilities, outcomes)
    happened, promised = calibration_curve(outcomes, probabilities, n_bins=10)
    np.testing.assert_allclose(table["happened"], happened)
    np.testing.assert_allclose(table["promised"], promised)


def test_kept_promises_have_no_error_and_broken_ones_their_size() -> None:
    always = reliability(np.full(40, 0.25), np.arange(40) % 4 == 0)
    assert expected_calibration_error(always) == pytest.approx(0)
    never = reliability(np.full(40, 0.9), np.zeros(40))
    assert expected_calibration_error(never) == pytest.approx(0.9)
    assert np.isnan(expected_calibration_error(reliability(np.empty(0), np.empty(0))))


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_what_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="probabilities must be numbers from 0 to 1"):
        reliability(np.array([0.5, value]), np.array([0, 1]))
