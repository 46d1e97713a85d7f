"""The posterior of a preference, against the closed forms that small cases have."""

from fractions import Fraction
from itertools import pairwise
from math import comb, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.agreement.posterior import p_preferred


@pytest.mark.parametrize(
    ("n_votes", "lead", "expected"),
    [
        (0, 0, 0.5),
        (1, 1, 0.5 + 1 / pi),  # Beta(3/2, 1/2)
        (1, -1, 0.5 - 1 / pi),
        (2, 2, 0.5 + 4 / (3 * pi)),  # Beta(5/2, 1/2): t(3/2, 1/2) = 1/(3 pi)
        (2, 1, 0.75),  # one vote and one tie: Beta(2, 1), P(p > 1/2) = 1 - 1/4
        (3, 0, 0.5),
    ],
)
def test_by_hand(n_votes: int, lead: int, expected: float) -> None:
    assert p_preferred(n_votes, lead) == pytest.approx(expected, rel=1e-15)


def _tail(a: int, b: int) -> Fraction:
    """P(p > 1/2) of Beta(a, b) with whole a and b: P(Binomial(a + b - 1, 1/2) < a)."""
    n = a + b - 1
    return Fraction(sum(comb(n, k) for k in range(a)), 2**n)


@given(st.integers(1, 60), st.integers(1, 60))
def test_whole_parameters_give_a_binomial_tail(a: int, b: int) -> None:
    assert p_preferred(a + b - 1, a - b) == pytest.approx(float(_tail(a, b)), abs=1e-14)


@given(st.integers(0, 30), st.integers(0, 30))
def test_half_parameters_give_the_integral_of_the_density(won: int, lost: int) -> None:
    """By the midpoint rule in t, p = sin^2 t: the density becomes smooth."""
    t = (np.arange(20_000) + 0.5) * (pi / 2 / 20_000)
    density = np.sin(t) ** (2 * won) * np.cos(t) ** (2 * lost)
    expected = density[10_000:].sum() / density.sum()
    assert p_preferred(won + lost, won - lost) == pytest.approx(expected, abs=1e-6)


def test_more_lead_makes_surer_and_never_more_than_sure() -> None:
    found = [round(p_preferred(999, lead), 12) for lead in range(-999, 1000)]
    assert all(low <= high for low, high in pairwise(found))
    assert (found[0], found[-1]) == (0, 1)


def test_a_lead_beyond_the_votes_is_refused() -> None:
    with pytest.raises(ValueError, match="a lead of 3 in 2 votes"):
        p_preferred(2, 3)
