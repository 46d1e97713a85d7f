"""Nearest: which points lie in almost the same direction as each, and how much each of them weighs."""

from collections.abc import Iterator
from math import exp, fsum

import numpy as np
import numpy.typing as npt

from pipelines.embedding.hashed import Points

ROWS_AT_ONCE = 256
DECIMALS = 9
"""Weights are rounded, since the last digits of an exponential differ from machine to machine."""


def nearest(points: Points, m: int) -> Iterator[tuple[int, list[int], list[float]]]:
    """For each point: its place, those of the `m` nearest ones, itself first, and their cosines.

    Points in equal directions come in their order. A point of zeros has a cosine of 0 with all but
    itself. It takes n x n x dimensions steps, a block of rows in memory at a time; inner products of
    whole coordinates are exact, so that the order is the same on every machine.
    """
    squares = (points * points).sum(axis=1)
    for start in range(0, len(points), ROWS_AT_ONCE):
        some = slice(start, start + ROWS_AT_ONCE)
        lengths = np.sqrt(squares[some, None] * squares[None, :])
        cosines = (points[some] @ points.T) / np.where(lengths > 0, lengths, 1.0)
        for row, own in enumerate(cosines):
            place = start + row
            own[place] = 2.0  # first of all, whatever equals it
            order = np.argsort(-own, kind="stable")[:m]
            own[place] = 1.0
            yield place, order.tolist(), own[order].tolist()


def weights(cosines: npt.ArrayLike, temperature: float) -> list[float]:
    """tau_j = softmax_j(-(1 - cos_j) / T), of Relative Preference Optimization (arXiv 2402.10958).

    >>> weights([1.0, 0.0], 0.5), weights([1.0, 1.0, 1.0], 0.5)
    ([0.880797078, 0.119202922], [0.333333333, 0.333333333, 0.333333333])
    """
    powers = [exp(-(1.0 - float(cosine)) / temperature) for cosine in np.asarray(cosines)]
    total = fsum(powers)
    return [round(power / total, DECIMALS) for power in powers]
