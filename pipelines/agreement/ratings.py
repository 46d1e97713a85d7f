"""Ratings: a table of what several raters said about the same units."""

import numpy as np
import numpy.typing as npt

Ratings = npt.NDArray[np.float64]
"""Units (responses, comparisons) down, raters (judges, people) across; NaN where one said nothing.
Scores stand as they are, named answers as numbers of any choice (a = 1, tie = 0, b = -1)."""


def complete(ratings: Ratings) -> Ratings:
    """The units that every rater rated."""
    return _where(ratings, _said(ratings).sum(axis=1) == ratings.shape[1])


def pairable(ratings: Ratings) -> Ratings:
    """The units that at least two raters rated."""
    return _where(ratings, _said(ratings).sum(axis=1) >= 2)


def varies(ratings: Ratings) -> bool:
    """Whether there are two different ratings. Exact, unlike a variance that is about 0."""
    known = ratings[_said(ratings)]
    return bool(known.size) and bool(known.min() < known.max())


def _said(ratings: Ratings) -> npt.NDArray[np.bool_]:
    return np.asarray(~np.isnan(ratings))


def _where(ratings: Ratings, units: npt.NDArray[np.bool_]) -> Ratings:
    return np.asarray(ratings[units])
