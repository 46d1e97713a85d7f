import pytest

np = pytest.importorskip("numpy")

from tools.embedded_lm.figures import area_over, auc, mean_over  # noqa: E402


def test_the_area_counts_every_right_against_every_wrong_one():
    """By hand: 3>1, 3>2, 2>1, 2=2 (half): 3.5 of 4."""
    assert auc(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 3.5 / 4
    assert auc(np.array([0.0]), np.array([0.0])) == 0.5


def test_a_mean_counts_samples_and_its_interval_draws_problems():
    same_within = mean_over([[1.0] * 8, [0.0] * 8] * 50)
    independent = mean_over([[1.0, 0.0] * 4] * 100)
    assert same_within.value == independent.value == 0.5
    assert same_within.n == independent.n == 800
    assert (independent.low, independent.high) == (0.5, 0.5)
    width = same_within.high - same_within.low
    assert width == pytest.approx(2 * 1.96 * 0.5 / 100**0.5, abs=0.04)


def test_the_area_is_over_all_problems_together():
    figure = area_over([[(1.0, True), (0.0, False)], [(0.5, True), (2.0, False)]] * 20)
    assert figure.value == 0.5  # 1.0 beats 0.0 and not 2.0; 0.5 likewise
    assert figure.low <= 0.5 <= figure.high
