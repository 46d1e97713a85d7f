"""Krippendorff's alpha against the worked examples of its author (2011)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.agreement.krippendorff import Level, alpha

GAP = np.nan
FOUR_OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, GAP, GAP, GAP],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, GAP, 3],
        [GAP, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, GAP],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, GAP],
    ]
).T


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_four_observers_with_gaps(level: Level, published: float) -> None:
    assert alpha(FOUR_OBSERVERS, level) == pytest.approx(published, abs=0.0005)


def test_two_observers_of_a_dichotomy() -> None:
    one, other = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert alpha(np.array([one, other], float).T, "nominal") == pytest.approx(0.095, abs=0.0005)


def test_two_observers_of_five_categories() -> None:
    both = [[ord(one) for one in word] for word in ("aabbdcccedda", "babbbccceddd")]
    assert alpha(np.array(both, float).T, "nominal") == pytest.approx(0.692, abs=0.0005)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_undefined_without_variation_or_without_a_second_rating(level: Level) -> None:
    assert alpha(np.full((5, 3), 0.1), level) is None
    assert alpha(np.array([[1.0], [2.0]]), level) is None
    assert alpha(np.array([[1.0, GAP], [GAP, 2.0]]), level) is None
    assert alpha(np.empty((0, 2)), level) is None


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_perfect_agreement_is_one(level: Level) -> None:
    assert alpha(np.array([[1.0, 1, GAP], [2, 2, 2], [7, GAP, 7]]), level) == 1


def _by_definition(ratings: np.ndarray, level: Level) -> float:
    """The coincidence matrix, entry by entry."""
    units = [[value for value in unit if not np.isnan(value)] for unit in ratings]
    units = [unit for unit in units if len(unit) > 1]
    pooled = [value for unit in units for value in unit]

    def distance(one: float, other: float) -> float:
        if level == "nominal":
            return float(one != other)
        if level == "interval":
            return (one - other) ** 2
        low, high = sorted((one, other))
        between = sum(low <= value <= high for value in pooled)
        ends = (pooled.count(low) + pooled.count(high)) / 2
        return 0.0 if low == high else (between - ends) ** 2

    observed = sum(
        distance(one, other) / (len(unit) - 1)
        for unit in units
        for i, one in enumerate(unit)
        for j, other in enumerate(unit)
        if i != j
    )
    expected = sum(distance(one, other) for one in pooled for other in pooled)
    return 1 - (len(pooled) - 1) * observed / expected


@given(
    arrays(float, (6, 3), elements=st.sampled_from([1.0, 2.0, 4.0, 4.5, GAP])),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_the_short_sums_are_the_coincidence_matrix(ratings: np.ndarray, level: Level) -> None:
    found = alpha(ratings, level)
    if found is not None:
        assert found == pytest.approx(_by_definition(ratings, level))
