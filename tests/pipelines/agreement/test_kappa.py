"""Kappas against published tables, and weighted ones against sums written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.agreement.kappa import Weights, cohen, fleiss

GAP = np.nan


def _raters(table: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Two raters whose cross table is `table`."""
    cells = [
        (row, column)
        for row, counts in enumerate(table)
        for column, count in enumerate(counts)
        for _ in range(count)
    ]
    one, other = np.array(cells, float).T
    return one, other


def test_cohen_on_the_two_readers_of_fifty_grant_proposals() -> None:
    assert cohen(*_raters([[20, 5], [10, 15]])) == pytest.approx(0.4)


def test_cohen_on_the_diagnoses_of_fleiss_levin_and_paik() -> None:
    """Table 18.1 of "Statistical Methods for Rates and Proportions": 0.676."""
    diagnoses = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    assert cohen(*_raters(diagnoses)) == pytest.approx(0.676, abs=0.0005)


@pytest.mark.parametrize(
    ("weights", "by_hand"), [("none", 3 / 11), ("linear", 1 / 7), ("quadratic", 0.0)]
)
def test_weights_by_hand(weights: Weights, by_hand: float) -> None:
    """Ratings 0 1 1 2 and 2 1 0 2: they differ by 2 0 1 0.

    Of the 16 differences of any of the one with any of the other, 11 are not 0; they sum up to 14,
    and their squares to 20. So 1 - (2/4) / (11/16), 1 - (3/4) / (14/16), 1 - (5/4) / (20/16).
    """
    one, other = np.array([0.0, 1, 1, 2]), np.array([2.0, 1, 0, 2])
    assert cohen(one, other, weights) == pytest.approx(by_hand)


@given(
    st.lists(st.tuples(*[st.sampled_from([1.0, 2.0, 3.5, 8.0])] * 2), min_size=2, max_size=12),
    st.sampled_from(["none", "linear", "quadratic"]),
)
def test_cohen_is_one_less_observed_over_expected(
    pairs: list[tuple[float, float]], weights: Weights
) -> None:
    one, other = np.array(pairs).T
    apart = {
        "none": lambda x, y: x != y,
        "linear": lambda x, y: abs(x - y),
        "quadratic": lambda x, y: (x - y) ** 2,
    }[weights]
    found = cohen(one, other, weights)
    if found is not None:
        expected = np.mean([apart(x, y) for x in one for y in other])
        assert found == pytest.approx(1 - np.mean(apart(one, other)) / expected)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_cohen_is_undefined_without_variation(weights: Weights) -> None:
    same = np.full(6, 0.1)
    assert cohen(same, same, weights) is None
    assert cohen(np.array([]), np.array([]), weights) is None
    assert cohen(np.array([1.0, GAP]), np.array([GAP, 2.0]), weights) is None


def test_cohen_leaves_out_units_with_a_gap() -> None:
    one, other = np.array([1.0, 1, 2, 2, GAP, 1]), np.array([1.0, 2, 2, 2, 1, GAP])
    assert cohen(one, other) == cohen(one[:4], other[:4])


FOURTEEN_RATERS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]


def test_fleiss_on_fourteen_raters_and_five_categories() -> None:
    """The textbook example: P = 0.378, P_e = 0.213, kappa = 0.210."""
    ratings = np.array([np.repeat(np.arange(5.0), counts) for counts in FOURTEEN_RATERS])
    assert fleiss(ratings) == pytest.approx(0.210, abs=0.0005)


def test_fleiss_of_two_raters_who_swap_everything_is_minus_one() -> None:
    assert fleiss(np.array([[0.0, 1], [1, 0]])) == -1


def test_fleiss_is_undefined_without_variation_or_a_second_rater() -> None:
    assert fleiss(np.ones((4, 3))) is None
    assert fleiss(np.array([[1.0], [2.0]])) is None
    assert fleiss(np.array([[1.0, GAP], [2.0, GAP]])) is None
