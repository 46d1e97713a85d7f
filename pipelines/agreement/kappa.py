"""Kappas: agreement on categories, corrected for what chance alone would give."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.agreement.ratings import Ratings, complete, varies

Weights = Literal["none", "linear", "quadratic"]
"""How bad a disagreement is. "none": all alike; "linear", "quadratic": by the difference of the two
ratings, or by its square."""


def cohen(
    one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], weights: Weights = "none"
) -> float | None:
    """Cohen's kappa of two raters (1960; weighted: 1968), 1 - d_o / d_e.

    d_o is the mean disagreement on a unit, d_e that of every rating of the one with every rating of
    the other. Differences are those of the ratings themselves, not of their places in a list of
    categories, so a category that nobody used changes nothing. Units that one of them did not rate
    (NaN) are left out. None without units, or where d_e is 0: both gave one and the same rating.
    """
    both = complete(np.column_stack([one, other]))
    if not varies(both):
        return None
    a, b = both.T
    if weights == "none":
        values = np.unique(both)
        shares = [(np.mean(a == value), np.mean(b == value)) for value in values]
        return float(1 - np.mean(a != b) / (1 - sum(p * q for p, q in shares)))
    if weights == "quadratic":
        apart = a.var() + b.var() + (a.mean() - b.mean()) ** 2
        return float(1 - np.mean((a - b) ** 2) / apart)
    return float(1 - np.mean(np.abs(a - b)) / _mean_distance(a, b))


def fleiss(ratings: Ratings) -> float | None:
    """Fleiss' kappa of several raters (1971), who need not be the same for each unit.

        (P - P_e) / (1 - P_e)     P: mean over units of the share of its pairs of ratings that agree
                                  P_e: sum over categories of their squared shares

    Units with a gap (NaN) are left out. None without units, with one rater, or where all ratings
    are the same.
    """
    units = complete(ratings)
    if units.shape[1] < 2 or not varies(units):
        return None
    n_units, m = units.shape
    counts = np.array([(units == value).sum(axis=1) for value in np.unique(units)])
    agreeing = ((counts**2).sum(axis=0) - m) / (m * (m - 1))
    by_chance = ((counts.sum(axis=1) / (n_units * m)) ** 2).sum()
    return float((agreeing.mean() - by_chance) / (1 - by_chance))


def _mean_distance(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    """The mean of |x - y| over all x of `a` and y of `b`: the area between their distributions.

    E|X - Y| = integral of F (1 - G) + G (1 - F), which needs no table of all pairs.
    """
    values = np.unique(np.concatenate([a, b]))
    f = np.searchsorted(np.sort(a), values[:-1], side="right") / len(a)
    g = np.searchsorted(np.sort(b), values[:-1], side="right") / len(b)
    return float(((f * (1 - g) + g * (1 - f)) * np.diff(values)).sum())
