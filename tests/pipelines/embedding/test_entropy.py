import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.embedding.entropy import entropy_gains, gaussian_entropy

SQUARE = [(-1, -1), (-1, 1), (1, -1), (1, 1)]


def test_the_entropy_of_a_unit_cloud_is_that_of_a_standard_gaussian():
    points = np.array(SQUARE, dtype=float)  # variances 1, covariance 0
    assert gaussian_entropy(points, 0.5) == pytest.approx(math.log(2 * math.pi * math.e))


def test_of_points_in_a_plane_the_outlier_adds_most():
    gains = entropy_gains(np.array([*SQUARE, (9, 9), (0, 1)], dtype=float), 0.1)
    assert np.argmax(gains) == 4
    assert gains[4] > 0 > gains[5]


@given(
    st.lists(
        st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9)),
        min_size=3,
        max_size=9,
    ),
    st.sampled_from([0.01, 0.1, 0.9]),
)
def test_the_gain_is_what_is_lost_without_the_point(rows, shrinkage):
    points = np.array(rows, dtype=float)
    gains = entropy_gains(points, shrinkage)
    spread = ((points - points.mean(axis=0)) ** 2).mean(axis=0).sum()
    if spread == 0:
        assert gains.tolist() == [0] * len(rows)
        return
    ridge = shrinkage * spread / 3 * np.eye(3)

    def entropy(cloud):
        covariance = (1 - shrinkage) * np.cov(cloud.T, bias=True) + ridge
        return np.linalg.slogdet(2 * np.pi * np.e * covariance)[1] / 2

    without = [entropy(points) - entropy(np.delete(points, n, axis=0)) for n in range(len(rows))]
    assert gains == pytest.approx(without, abs=1e-8)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_too_few_points_tell_nothing(rows):
    assert entropy_gains(np.ones((rows, 2)), 0.1).tolist() == [0] * rows
