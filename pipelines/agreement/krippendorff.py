"""Krippendorff's alpha: agreement of any number of raters, on any scale, with gaps.

Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.agreement.ratings import Ratings, pairable, varies

Level = Literal["nominal", "ordinal", "interval"]
"""How far apart two ratings are. "nominal": the same or not. "ordinal": by the number of ratings
between them. "interval": by their difference."""


def alpha(ratings: Ratings, level: Level) -> float | None:
    """1 - D_o / D_e: 1 where all agree, 0 as by chance, below 0 where raters contradict each other.

    With n ratings in units of m_u (at least 2) each, and d the distance of two ratings,

        D_o = 1/n sum_u 1/(m_u - 1) sum_{i != j in u} d^2     D_e = 1/(n (n - 1)) sum_{i != j} d^2

    An ordinal distance is the difference of mid-ranks among all n ratings. None where no unit has
    two ratings, or all ratings are the same.
    """
    units = pairable(ratings)
    if not varies(units):
        return None
    present = ~np.isnan(units)
    unit, values = np.nonzero(present)[0], units[present]
    per_unit = present.sum(axis=1)
    n = len(values)
    if level == "nominal":
        within, among = _unequal(values, unit), _unequal(values, np.zeros_like(unit))
    else:
        values = _mid_ranks(values) if level == "ordinal" else values
        within, among = _squared(values, unit), _squared(values, np.zeros_like(unit))
    observed = (within / (per_unit - 1)).sum() / n
    return float(1 - observed / (among[0] / (n * (n - 1))))


def _unequal(values: npt.NDArray[np.float64], unit: npt.NDArray[np.int64]) -> Ratings:
    """For each unit, its ordered pairs of ratings that differ: m^2 - sum of squared counts."""
    cells, counts = np.unique(np.column_stack([unit, values]), axis=0, return_counts=True)
    same = np.bincount(cells[:, 0].astype(np.int64), counts.astype(np.float64) ** 2)
    return np.asarray(np.bincount(unit).astype(np.float64) ** 2 - same)


def _squared(values: npt.NDArray[np.float64], unit: npt.NDArray[np.int64]) -> Ratings:
    """For each unit, sum of (x - y)^2 over its ordered pairs: 2 m times the squares about the mean."""
    m = np.bincount(unit)
    residual = values - (np.bincount(unit, values) / m)[unit]
    return np.asarray(2 * m * np.bincount(unit, residual**2))


def _mid_ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ratings below, and half of those that are equal."""
    _, category, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - counts / 2)[category])
