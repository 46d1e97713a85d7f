"""Intervals by resampling: seeded, by group, and never out of nothing."""

import numpy as np
import pytest

from pipelines.agreement.bootstrap import Interval, bootstrap, resamples, times_drawn


def mean(values: np.ndarray) -> float:
    return float(values.mean())


def test_the_interval_of_a_mean_is_close_to_the_normal_one() -> None:
    values = (np.arange(400) % 2).astype(float)  # mean 1/2, standard error 1/40
    interval = bootstrap(values, mean, 7, n=4000)
    assert interval is not None
    assert interval.low == pytest.approx(0.5 - 1.96 / 40, abs=0.006)
    assert interval.high == pytest.approx(0.5 + 1.96 / 40, abs=0.006)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    values = np.sqrt(np.arange(50.0))
    assert bootstrap(values, mean, 1) == bootstrap(values, mean, 1)
    assert bootstrap(values, mean, 1) != bootstrap(values, mean, 2)


def test_the_stream_of_draws_is_pinned() -> None:
    """An interval stands in manifests: it must not change with a release of NumPy."""
    assert bootstrap(np.arange(10.0), mean, 5, n=200) == Interval(2.5, 6.0)


def test_a_higher_level_is_wider() -> None:
    values = np.arange(100.0)
    narrow, wide = bootstrap(values, mean, 3, level=0.5), bootstrap(values, mean, 3, level=0.99)
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low < narrow.high < wide.high


def test_rows_of_one_group_are_drawn_together() -> None:
    values, groups = np.repeat([0.0, 1.0], 500), np.repeat(["a", "b"], 500)
    assert bootstrap(values, mean, 1, groups=groups) == Interval(0.0, 1.0)


def test_groups_of_different_sizes_keep_all_of_their_rows() -> None:
    values = np.array([5.0, 1.0, 5.0, 5.0, 1.0])
    groups = np.array(["x", "y", "x", "x", "y"])
    seen: set[tuple[float, ...]] = set()

    def sizes(resampled: np.ndarray) -> float:
        seen.add(tuple(sorted(resampled)))
        return 0.0

    bootstrap(values, sizes, 1, groups=groups)
    assert seen == {(1.0, 1.0, 5.0, 5.0, 5.0), (1.0, 1.0, 1.0, 1.0), (5.0,) * 6}


def test_several_arrays_are_resampled_by_the_same_rows() -> None:
    def correlation(one: np.ndarray, other: np.ndarray) -> float | None:
        return float(np.corrcoef(one, other)[0, 1]) if one.std() and other.std() else None

    values = np.arange(30.0)
    interval = bootstrap((values, 2 * values), correlation, 1, n=100)
    assert interval is not None
    assert interval.low == pytest.approx(1)


def test_what_is_undefined_has_no_interval() -> None:
    assert bootstrap(np.array([1.0]), mean, 1) is None
    assert bootstrap(np.array([]), mean, 1) is None
    assert bootstrap(np.arange(9.0), mean, 1, groups=["one"] * 9) is None
    assert bootstrap(np.arange(9.0), lambda _: None, 1) is None


def test_undefined_resamples_are_left_out_but_not_when_they_are_half() -> None:
    def mean_of_some(values: np.ndarray) -> float | None:
        return None if values.min() > 0 else mean(values)

    one_zero = np.array([0.0, 1.0, 1.0, 1.0, 1.0])  # a third of the resamples have no 0
    interval = bootstrap(one_zero, mean_of_some, 1)
    assert interval is not None
    assert interval.high < 1

    def mean_of_few(values: np.ndarray) -> float | None:
        whole = values.tolist() == one_zero.tolist()
        return mean(values) if whole or values.sum() < 3 else None

    assert bootstrap(one_zero, mean_of_few, 1) is None


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        bootstrap(np.arange(3.0), mean, 1, groups=["a", "b"])


def test_the_totals_of_all_resamples_at_once_are_those_of_each() -> None:
    rows = np.array([[1, 2], [0, 3], [2, 2], [5, 7]])
    each = [rows[drawn].sum(axis=0) for drawn in resamples(np.arange(4), seed=3, n=50)]
    assert (times_drawn(4, seed=3, n=50) @ rows == each).all()
