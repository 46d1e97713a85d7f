"""Entropy of a cloud of points, and what each point adds to it."""

import numpy as np
import numpy.typing as npt

from pipelines.embedding.hashed import Points


def gaussian_entropy(points: Points, shrinkage: float) -> float:
    """1/2 ln det(2 pi e C) in nats, of the Gaussian with the points' covariance C, shrunk.

    C = (1 - shrinkage) S + r I, S the population covariance, r = shrinkage trace(S) / dimensions.
    """
    covariance, ridge = _moments(points, shrinkage)
    return _entropy((1 - shrinkage) * covariance + ridge * np.eye(len(covariance)))


def entropy_gains(points: Points, shrinkage: float) -> npt.NDArray[np.float64]:
    """H(all) - H(all but one) for each point, in nats: how much it adds to the spread.

    Without the point x, at d = x - mean, the covariance is S n / (n - 1) - d d' n / (n - 1)^2, so
    by the lemma of the determinant, with the ridge of all points kept,

        det C_without = det A (1 - b d' A^-1 d)     A = (1 - shrinkage) n / (n - 1) S + r I
                                                    b = (1 - shrinkage) n / (n - 1)^2

    one inverse for all points. Zeros where there are fewer than three points, or they are all one.
    """
    n, dimensions = points.shape
    if n < 3:
        return np.zeros(n)
    covariance, ridge = _moments(points, shrinkage)
    if ridge == 0:
        return np.zeros(n)
    unit = ridge * np.eye(dimensions)
    whole = (1 - shrinkage) * covariance + unit
    without = (1 - shrinkage) * n / (n - 1) * covariance + unit
    away = points - points.mean(axis=0)
    distances = (away @ np.linalg.inv(without) * away).sum(axis=1)
    share = (1 - shrinkage) * n / (n - 1) ** 2 * distances
    gains: npt.NDArray[np.float64] = _entropy(whole) - _entropy(without) - np.log1p(-share) / 2
    return gains


def _moments(points: Points, shrinkage: float) -> tuple[npt.NDArray[np.float64], float]:
    """The population covariance, from sums that are exact for whole coordinates, and the ridge."""
    n, dimensions = points.shape
    sums = points.sum(axis=0)
    covariance = (n * (points.T @ points) - np.outer(sums, sums)) / n**2
    return covariance, shrinkage * float(np.trace(covariance)) / dimensions


def _entropy(covariance: npt.NDArray[np.float64]) -> float:
    _, logarithm = np.linalg.slogdet(2 * np.pi * np.e * covariance)
    return float(logarithm) / 2
