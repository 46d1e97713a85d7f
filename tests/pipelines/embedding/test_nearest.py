import numpy as np
import pytest

from pipelines.embedding.nearest import ROWS_AT_ONCE, nearest, weights


def test_equal_points_weigh_the_same_and_orthogonal_ones_by_the_temperature():
    # arXiv 2402.10958: identical -> 1/n; orthogonal, n = 2, T = .5 -> e^0 : e^-2
    assert weights([1.0, 1.0, 1.0, 1.0], 0.5) == [0.25] * 4
    assert weights([1.0, 0.0], 0.5) == pytest.approx([0.880797, 0.119203], abs=1e-6)
    assert sum(weights([1.0, 0.5, -1.0], 0.1)) == pytest.approx(1)


def test_each_point_comes_first_and_then_the_nearest_in_their_order():
    points = np.array([[2.0, 0], [0, 3], [5, 0], [1, 1], [0, 0]])
    found = {place: (others, cosines) for place, others, cosines in nearest(points, 3)}
    assert found[0] == ([0, 2, 3], [1.0, 1.0, pytest.approx(0.5**0.5)])
    assert found[2] == ([2, 0, 3], [1.0, 1.0, pytest.approx(0.5**0.5)])
    assert found[1][0] == [1, 3, 0]
    assert found[4] == ([4, 0, 1], [1.0, 0.0, 0.0])


def test_there_are_no_more_than_there_are_points():
    assert [others for _, others, _ in nearest(np.array([[1.0], [2.0]]), 8)] == [[0, 1], [1, 0]]
    assert list(nearest(np.zeros((0, 4)), 8)) == []


def test_blocks_of_rows_change_nothing():
    points = np.random.default_rng(3).integers(-5, 6, (ROWS_AT_ONCE + 7, 6)).astype(float)
    found = list(nearest(points, 4))
    assert [place for place, _, _ in found] == list(range(len(points)))
    last = points[-1] @ points.T / np.sqrt((points**2).sum(1) * (points[-1] ** 2).sum())
    last[-1] = 2
    assert found[-1][1] == np.argsort(-last, kind="stable")[:4].tolist()
