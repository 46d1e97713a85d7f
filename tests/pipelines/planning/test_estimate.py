import math

import pytest

from pipelines.planning.estimate import Estimate, scaled, widened, with_judgments


def test_a_total_scales_the_mean_with_the_spread_of_simple_sampling() -> None:
    # mean 3, s^2 = 2, N = 100, m = 2: 1.96 x 100 x sqrt(0.98 x 2 / 2)
    found = scaled([2.0, 4.0], 100)
    assert found.value == 300
    assert found.plus_minus == pytest.approx(1.96 * 100 * math.sqrt(0.98))


def test_all_units_counted_leave_no_interval_and_one_of_many_tells_none() -> None:
    assert scaled([1.0, 5.0], 2) == Estimate(6.0, 0.0)
    assert scaled([5.0], 10) == Estimate(50.0, None)
    assert scaled([5.0], 1) == Estimate(5.0, 0.0)


def test_reasked_judgments_widen_by_how_many_units_told_of_them() -> None:
    # two of four units call, 4 and 6 times: s = sqrt(2); N = 100 x 2/4, known from 8 units
    exact = Estimate(250.0, 0.0)
    found = with_judgments(exact, [4.0, 6.0, 0.0, 0.0], 100, 8)
    assert found.plus_minus == pytest.approx(1.96 * 50 * math.sqrt(2) / math.sqrt(8))
    assert with_judgments(exact, [5.0, 5.0], 50, 8).plus_minus == 0
    assert with_judgments(exact, [4.0, 6.0], 50, 0) == exact


def test_lengths_widen_and_what_is_not_known_of_the_samples_counts_in_proportion() -> None:
    # lengths 6 and 10: s = sqrt(8); 100 samples, 4 characters a token: 100 x sqrt(8) / 4 / sqrt(2)
    error = 1.96 * 100 * math.sqrt(8) / 4 / math.sqrt(2)
    of_lengths = widened(Estimate(200.0, 0.0), Estimate(100.0, 0.0), [6, 10], 4.0)
    assert of_lengths.plus_minus == pytest.approx(error)
    of_both = widened(Estimate(200.0, 0.0), Estimate(100.0, 10.0), [6, 10], 4.0)
    assert of_both.plus_minus == pytest.approx(math.hypot(20, error))
    assert widened(Estimate(200.0, 0.0), Estimate(100.0, 0.0), [6], 4.0).plus_minus is None
