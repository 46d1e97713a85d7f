"""Intervals, with numbers worked out by hand."""

import numpy as np
import pytest

from tools.proof.intervals import DRAWS, difference, drawn, mean


def test_of_four_problems_half_right_every_share_lies_in_the_interval():
    # A draw is Binomial(4, 1/2) / 4: none is right in 1/16 of them, more than the 2.5 % cut off.
    half = mean(np.array([[1.0, 1.0, 0.0, 0.0]]))
    assert (half.value, half.low, half.high) == (0.5, 0.0, 1.0)


def test_of_six_problems_half_right_the_ends_are_cut_off():
    # Binomial(6, 1/2): none 1/64 = 1.6 %, at most one 7/64 = 10.9 %; the same from above.
    half = mean(np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]]))
    assert (half.low, half.high) == (pytest.approx(1 / 6), pytest.approx(5 / 6))


def test_a_constant_gain_has_no_width_however_different_the_problems_are():
    start = np.array([[0.0, 0.25, 0.5, 0.75]])
    gain = difference(start + 0.25, start)
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.25, 0.25, 0.25))


def test_two_seeds_that_disagree_widen_the_interval():
    # Both seeds the lucky one: 1/4 of the draws; both the other: 1/4.
    of_two = mean(np.array([[1.0] * 5, [0.0] * 5]))
    assert (of_two.value, of_two.low, of_two.high) == (0.5, 0.0, 1.0)


def test_the_seeds_of_two_arms_are_drawn_apart():
    # All of one arm lucky and of the other unlucky: 1/16 of the draws at either end.
    arm = np.array([[1.0] * 5, [0.0] * 5])
    apart = difference(arm, arm)
    assert (apart.value, apart.low, apart.high) == (0.0, -1.0, 1.0)


def test_arms_on_different_problems_are_not_compared():
    with pytest.raises(ValueError, match="3 problems against 2"):
        difference(np.ones((1, 3)), np.ones((1, 2)))


def test_a_draw_takes_as_many_as_there_are():
    weights = drawn(np.random.default_rng(1), 7)
    assert weights.shape == (DRAWS, 7)
    assert np.allclose(weights.sum(1), 1)
    assert set(np.unique(weights * 7)) <= set(range(8))
