"""Strengths against numbers worked out by hand, and against what they were drawn from."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ranking.bradley_terry import groups, strengths

WINS = st.integers(1, 6).flatmap(
    lambda n: st.lists(
        st.lists(st.integers(0, 20), min_size=n, max_size=n), min_size=n, max_size=n
    ).map(lambda rows: np.array(rows, dtype=np.float64) * (1 - np.eye(n)))
)


def sigma(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_three_of_four_games_are_a_difference_of_ln_3() -> None:
    one, other = strengths(np.array([[0, 3e7], [1e7, 0]]))
    assert one - other == pytest.approx(log(3), abs=1e-6)
    assert one + other == pytest.approx(0)


def test_of_a_chain_the_differences_add_up() -> None:
    """a beats b 3:1 and b beats c 9:1, both often: a is ln 27 before c, whom it never met."""
    wins = np.array([[0, 3, 0], [1, 0, 9], [0, 1, 0]]) * 1e7
    a, b, c = strengths(wins)
    assert (a - b, b - c) == pytest.approx((log(3), log(9)), abs=1e-6)


def test_a_cycle_leaves_all_equal() -> None:
    assert strengths(np.array([[0, 5, 0], [0, 0, 5], [5, 0, 0.0]])) == pytest.approx([0, 0, 0])


def test_one_win_is_as_if_both_had_also_tied_with_the_average() -> None:
    # 3/2 = sigma(2 theta) + sigma(theta), by bisection
    assert strengths(np.array([[0, 1], [0, 0.0]])) == pytest.approx([0.756308, -0.756308], abs=1e-6)


def test_who_never_lost_has_a_finite_strength_that_grows_with_its_games() -> None:
    few, many = (strengths(np.array([[0, n], [0, 0.0]]))[0] for n in (10, 1000))
    assert 0 < few < many < 10


def test_known_strengths_are_found_again() -> None:
    true = np.array([1.5, 0.7, 0.0, -0.4, -1.8])
    chance = sigma(true[:, None] - true)
    expected = strengths(1e6 * chance * (1 - np.eye(5)))
    assert expected - expected.mean() == pytest.approx(true - true.mean(), abs=1e-4)
    won = np.random.default_rng(3).binomial(2000, np.triu(chance, 1))
    drawn = strengths(won + np.tril((2000 - won).T, -1).astype(float))
    assert drawn - drawn.mean() == pytest.approx(true - true.mean(), abs=0.15)


@given(WINS, st.floats(-3, 3))
def test_the_slope_of_the_posterior_is_zero_there_from_whatever_start(
    wins: np.ndarray, start: float
) -> None:
    theta = strengths(wins, np.linspace(-start, start, len(wins)))
    expected = (wins + wins.T) * sigma(theta[:, None] - theta)
    slope = (wins - expected).sum(axis=1) + 0.5 - sigma(theta)
    assert slope == pytest.approx(np.zeros(len(wins)), abs=1e-6)


def test_lopsided_counts_are_no_trouble() -> None:
    wins = np.array([[0, 1e9, 0], [1, 0, 1e9], [0, 1, 0]])
    assert np.isfinite(strengths(wins)).all()
    assert strengths(wins, np.array([-5.0, 0, 5])) == pytest.approx(strengths(wins), abs=1e-6)


def test_groups_are_what_games_connect() -> None:
    wins = np.zeros((6, 6))
    wins[0, 3] = wins[4, 3] = wins[1, 2] = 1
    assert groups(wins).tolist() == [0, 1, 1, 0, 0, 5]


@given(st.lists(WINS, min_size=1, max_size=4))
def test_of_a_stack_each_matrix_has_the_strengths_that_it_has_alone(some: list[np.ndarray]) -> None:
    same_size = [wins for wins in some if wins.shape == some[0].shape]
    alone = np.array([strengths(wins) for wins in same_size])
    assert strengths(np.stack(same_size)) == pytest.approx(alone, abs=1e-9)
