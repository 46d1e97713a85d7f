"""Means and differences with 95 % intervals: a bootstrap over problems and over seeds.

Values are (seeds, problems): how often the model trained with a seed answered a problem right. A
draw takes as many problems and as many seeds again, with replacement and independently of each
other. Two arms share the drawn problems, for both were asked the same ones; their seeds are drawn
apart, for seed 1 of the one has nothing to do with seed 1 of the other.

With few seeds the spread between them is known poorly: from n seeds such a draw shows (n - 1)/n of
its variance on average.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, or a difference of means, and its 95 % interval."""

    value: float
    low: float
    high: float


def mean(values: Values) -> Estimate:
    """The mean of `values` (seeds, problems).

    >>> mean(np.ones((3, 5)))
    Estimate(value=1.0, low=1.0, high=1.0)
    """
    return difference(values, np.zeros((1, values.shape[1])))


def difference(ours: Values, theirs: Values) -> Estimate:
    """The mean of `ours` minus that of `theirs`, problem by problem.

    >>> difference(np.array([[1.0, 0.5]]), np.array([[0.5, 0.0], [0.5, 0.0]]))
    Estimate(value=0.5, low=0.5, high=0.5)
    """
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(f"{ours.shape[1]} problems against {theirs.shape[1]}")
    chance = np.random.default_rng(0)
    problems = drawn(chance, ours.shape[1])
    one, other = (drawn(chance, len(arm)) @ arm for arm in (ours, theirs))
    low, high = np.quantile(((one - other) * problems).sum(1), (0.025, 0.975))
    return Estimate(float(ours.mean() - theirs.mean()), float(low), float(high))


def drawn(chance: np.random.Generator, count: int) -> Values:
    """Weights (draws, count) of each of `count` in bootstrap draws; every row sums to 1.

    >>> drawn(np.random.default_rng(0), 1).tolist() == [[1.0]] * DRAWS
    True
    """
    return chance.multinomial(count, np.full(count, 1 / count), DRAWS) / count
