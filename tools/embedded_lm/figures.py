"""Figures with 95 % intervals: means, and areas under the curve, over problems.

Samples of one problem are alike, so a problem is what is drawn again in the bootstrap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 1000
"""Bootstrap draws."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate and its 95 % interval; `n` is what it was counted over."""

    value: float
    low: float
    high: float
    n: int


def mean_over(problems: Sequence[Sequence[float]]) -> Figure:
    """The mean of all values, each inner sequence being those of one problem.

    >>> mean_over([[1.0, 1.0], [1.0]])
    Figure(value=1.0, low=1.0, high=1.0, n=3)
    """
    sums = np.array([sum(values) for values in problems], dtype=np.float64)
    counts = np.array([len(values) for values in problems], dtype=np.float64)

    def ratio(drawn: NDArray[np.int64]) -> float:
        return float(sums[drawn].sum() / counts[drawn].sum())

    return _bootstrapped(ratio, len(problems), int(counts.sum()))


def area_over(problems: Sequence[Sequence[tuple[float, bool]]]) -> Figure:
    """How often a right one of all outscores a wrong one of all, ties counting half (the AUC).

    >>> area_over([[(2.0, True), (1.0, False)], [(2.0, True), (1.0, False)]]).value
    1.0
    """
    kept = [np.array(scored, dtype=np.float64).reshape(-1, 2) for scored in problems]

    def area(drawn: NDArray[np.int64]) -> float:
        scores, right = np.concatenate([kept[problem] for problem in drawn]).T
        return auc(scores[right > 0], scores[right == 0])

    return _bootstrapped(area, len(problems), sum(map(len, kept)))


def auc(right: Floats, wrong: Floats) -> float:
    """P(right > wrong) + P(right = wrong) / 2.

    >>> auc(np.array([3.0, 1.0]), np.array([1.0, 0.0]))
    0.875
    """
    ordered = np.sort(wrong)
    below = np.searchsorted(ordered, right, "left")
    up_to = np.searchsorted(ordered, right, "right")
    return float((below + up_to).sum() / (2 * len(right) * len(wrong)))


def _bootstrapped(statistic: Callable[[NDArray[np.int64]], float], problems: int, n: int) -> Figure:
    chance = np.random.default_rng(0)
    draws = [statistic(chance.integers(0, problems, problems)) for _ in range(DRAWS)]
    low, high = np.quantile(draws, (0.025, 0.975))
    value = statistic(np.arange(problems))
    return Figure(round(value, 4), round(float(low), 4), round(float(high), 4), n)
