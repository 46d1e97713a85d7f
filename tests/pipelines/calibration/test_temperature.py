import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.calibration.temperature import (
    COLDEST,
    HOTTEST,
    calibration_error,
    fit_temperature,
    scaled_on_folds,
    sigmoid,
)


def test_the_temperature_makes_confidence_what_it_is_worth():
    # always 0.9 sure and 3 times of 4 right: sigma(ln 9 / T) = 3/4, so T = ln 9 / ln 3 = 2
    z = np.log(9) * np.array([1.0, -1, 1, -1])
    right = np.array([1.0, 0, 1, 1])
    assert fit_temperature(z, right) == pytest.approx(2)
    assert fit_temperature(3 * z, right) == pytest.approx(6)


def test_a_judge_that_is_always_right_or_right_by_chance_meets_the_bounds():
    z = np.array([1.0, -2, 3])
    coldest = fit_temperature(z, np.array([1.0, 0, 1]))  # below it, the slope is 0 in doubles
    assert coldest is not None
    assert COLDEST <= coldest < 2 * COLDEST
    assert fit_temperature(z, np.array([0.0, 1, 0])) == pytest.approx(HOTTEST)
    assert fit_temperature(np.zeros(3), np.ones(3)) is None
    assert fit_temperature(np.array([]), np.array([])) is None


@given(st.lists(st.tuples(st.floats(-20, 20), st.booleans()), min_size=1, max_size=30))
def test_no_other_temperature_fits_better(drawn: list[tuple[float, bool]]):
    z = np.array([one for one, _ in drawn])
    right = np.array([float(one) for _, one in drawn])

    def loss(temperature: float) -> float:
        return float(np.sum(np.logaddexp(0, -z * (2 * right - 1) / temperature)))

    found = fit_temperature(z, right)
    if found is not None:
        assert all(
            loss(found) <= loss(other) + 1e-9
            for other in np.geomspace(COLDEST, HOTTEST, 200)
        )  # fmt: skip


def test_the_error_is_the_gap_of_each_bin_by_its_share():
    # one bin says 0.9 and has 3 of 4, another says 0.6 and has 1 of 1: 4/5 * 0.15 + 1/5 * 0.4
    p = np.array([0.9, 0.9, 0.1, 0.9, 0.6])
    right = np.array([1.0, 1, 0, 0, 1])
    assert calibration_error(p, right) == pytest.approx(0.2)


def test_being_undecided_is_half_right():
    assert calibration_error(np.array([0.5, 0.5]), np.array([1.0, 1])) == 0
    assert calibration_error(np.array([np.nan]), np.array([1.0])) is None


def test_scaling_takes_the_error_away_that_it_was_not_fitted_on():
    groups = [f"prompt {number}" for number in range(4000)]
    right = np.array([0.0 if number % 4 == 0 else 1.0 for number in range(4000)])
    z = np.full(4000, np.log(9))
    assert calibration_error(sigmoid(z), right) == pytest.approx(0.15)
    scaled = scaled_on_folds(z, right, groups, seed=1)
    assert calibration_error(scaled, right) < 0.02
    assert not np.any(np.isnan(scaled))


def test_pairs_of_one_prompt_are_scaled_alike():
    z, right = np.array([1.0, 1, 2, 2, -1, 3]), np.array([1.0, 0, 1, 1, 0, 1])
    scaled = scaled_on_folds(z, right, ["p", "p", "q", "r", "s", "t"], seed=2)
    assert scaled[0] == scaled[1]


def test_a_fold_without_others_has_no_temperature():
    assert np.isnan(scaled_on_folds(np.array([1.0]), np.array([1.0]), ["p"], seed=0)).all()
