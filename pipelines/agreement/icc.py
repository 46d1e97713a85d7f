"""Intraclass correlations: how much of the spread of scores is that of what is scored.

Shrout and Fleiss (1979), "Intraclass correlations: uses in assessing rater reliability".
"""

from typing import Literal, NamedTuple

from pipelines.agreement.ratings import Ratings, complete, varies

Form = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]
"""Which raters, and of what. "1": other raters for each unit; "2": the same ones, drawn from many,
whose leniency counts as error; "3": the same ones, and only these, leniency aside. "1" after the
comma: of one rater's score; "k": of the mean of all."""

NOTHING = 1e-12
"""A mean square below this share of the total is rounding, and counts as 0."""


class _Squares(NamedTuple):
    """Mean squares of a two-way table of n units and k raters, and of its rows alone."""

    n: int
    k: int
    units: float
    raters: float
    error: float
    within: float


def icc(ratings: Ratings, form: Form) -> float | None:
    """ICC(form), at most 1, from the mean squares of units (B), raters (J), error (E), within (W).

        (1,1)  (B - W) / (B + (k-1) W)                     (1,k)  (B - W) / B
        (2,1)  (B - E) / (B + (k-1) E + k (J - E) / n)     (2,k)  (B - E) / (B + (J - E) / n)
        (3,1)  (B - E) / (B + (k-1) E)                     (3,k)  (B - E) / B

    Units with a gap (NaN) are left out. None with fewer than two units or raters, where all scores
    are the same, or where the denominator is 0.
    """
    units = complete(ratings)
    if min(units.shape) < 2 or not varies(units):
        return None
    n, k, between, raters, error, within = _mean_squares(units)
    spread = {
        "1,1": (between - within, between + (k - 1) * within),
        "2,1": (between - error, between + (k - 1) * error + k * (raters - error) / n),
        "3,1": (between - error, between + (k - 1) * error),
        "1,k": (between - within, between),
        "2,k": (between - error, between + (raters - error) / n),
        "3,k": (between - error, between),
    }
    numerator, denominator = spread[form]
    return numerator / denominator if denominator else None


def _mean_squares(units: Ratings) -> _Squares:
    n, k = units.shape
    centred = units - units.mean()
    of_units, of_raters = centred.mean(axis=1), centred.mean(axis=0)
    rest = centred - of_units[:, None] - of_raters
    within = centred - of_units[:, None]
    least = NOTHING * float((centred**2).mean())

    def mean_square(sum_of_squares: float, freedom: int) -> float:
        return found if (found := float(sum_of_squares) / freedom) > least else 0.0

    return _Squares(
        n,
        k,
        units=mean_square(k * (of_units**2).sum(), n - 1),
        raters=mean_square(n * (of_raters**2).sum(), k - 1),
        error=mean_square((rest**2).sum(), (n - 1) * (k - 1)),
        within=mean_square((within**2).sum(), n * (k - 1)),
    )
