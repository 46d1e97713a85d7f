"""Temperature: how sure a judge is against how often it is right.

A judge's evidence z (log-odds, or a difference of scores) stands for p = sigma(z / T). T is fitted
by log-loss (Guo et al. 2017), on folds: what T does to a pair is seen on pairs it was not fitted
on.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.canonical import draw_integer

Floats = npt.NDArray[np.float64]

COLDEST, HOTTEST = 1e-3, 1e3
"""Bounds of T, in units of the evidence: a judge that is always right knows no lower one, and one
that is right by chance no upper one."""
FOLDS = 5
BINS = 10
STEPS = 100


def fit_temperature(z: Floats, right: Floats) -> float | None:
    """The T that makes sum of ln sigma(z / T) of the right side largest; None without evidence.

    `z` is the evidence for side a, `right` 1 where a is right and 0 where b is. The log-loss is
    convex in 1/T, so its slope is halved to 0.

    >>> z = np.log(9) * np.array([1.0, 1, 1, 1])
    >>> round(fit_temperature(z, np.array([1.0, 1, 1, 0])), 9)
    2.0
    """
    if not len(z) or not np.any(z):
        return None
    signed = z * (2 * right - 1)
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(STEPS):
        middle = np.sqrt(low * high)
        steeper = float(np.sum(signed * sigmoid(-middle * signed)))
        low, high = (middle, high) if steeper > 0 else (low, middle)
    return float(1 / np.sqrt(low * high))


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + e^-z), in a form that cannot overflow."""
    exp = np.exp(-np.abs(z))
    scaled: Floats = np.where(z >= 0, 1 / (1 + exp), exp / (1 + exp))
    return scaled


def scaled_on_folds(z: Floats, right: Floats, groups: Sequence[str], seed: int) -> Floats:
    """P of side a for each pair, by a T fitted on the pairs of the other folds.

    A prompt's pairs are in one fold. NaN where the others hold no evidence.
    """
    fold = np.array([draw_integer(seed, "fold", group) % FOLDS for group in groups])
    scaled = np.full(len(z), np.nan)
    for number in range(FOLDS):
        own = fold == number
        temperature = fit_temperature(z[~own], right[~own])
        if temperature is not None:
            scaled[own] = sigmoid(z[own] / temperature)
    return scaled


def calibration_error(p: Floats, right: Floats) -> float | None:
    """The expected calibration error: sum over bins of their share times |confidence - accuracy|.

    Confidence is max(p, 1 - p), in 10 bins of equal width from 0.5 to 1; p = 0.5 is half right.
    Pairs without p (NaN) are left out; None where there is no other.

    >>> calibration_error(np.array([0.9, 0.9, 0.1, 0.9]), np.array([1.0, 1, 0, 0])).__round__(9)
    0.15
    """
    known = ~np.isnan(p)
    if not known.any():
        return None
    p, right = p[known], right[known]
    confidence = np.maximum(p, 1 - p)
    hit = np.where(p == 0.5, 0.5, (p > 0.5) == (right > 0.5))
    at = np.minimum(((confidence - 0.5) * 2 * BINS).astype(np.int64), BINS - 1)
    apart = np.bincount(at, weights=confidence - hit, minlength=BINS)
    return float(np.abs(apart).sum() / len(p))
