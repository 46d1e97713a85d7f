from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.embedding.centres import centres

LINE = np.array([[0], [1], [10], [11], [5]], dtype=float)


def test_each_centre_is_the_farthest_point_from_those_before_it():
    assert centres(LINE, 1).tolist() == [0]
    assert centres(LINE, 2).tolist() == [0, 3]
    assert centres(LINE, 3).tolist() == [0, 3, 4]
    assert centres(LINE, 9).tolist() == [0, 3, 4, 1, 2]
    assert centres(LINE, 0).tolist() == []


def radius(points, chosen):
    return max(min(abs(point - points[one]).sum() for one in chosen) for point in points)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=8), st.integers(1, 4))
def test_no_point_is_farther_than_twice_the_best_radius(values, k):
    points = np.array(values, dtype=float).reshape(-1, 1)
    found = centres(points, k)
    assert len(set(found.tolist())) == min(k, len(values))
    best = min(radius(points, some) for some in combinations(range(len(values)), len(found)))
    assert radius(points, found) <= 2 * best
