"""Centres: few points that leave no other far away."""

import numpy as np
import numpy.typing as npt

from pipelines.embedding.hashed import Points


def centres(points: Points, k: int) -> npt.NDArray[np.int64]:
    """The places of `k` points, each the farthest from those before it; the first one comes first.

    Of points that are equally far the first one is taken. The farthest point from its centre is at
    most twice as far as in the best choice (Gonzalez 1985). It takes n x k x dimensions steps.
    """
    chosen = np.zeros(min(k, len(points)), dtype=np.int64)
    if not len(chosen):
        return chosen
    squares = (points * points).sum(axis=1)
    nearest = np.full(len(points), np.inf)
    for place in range(1, len(chosen)):
        centre = chosen[place - 1]
        distances = squares + squares[centre] - 2 * (points @ points[centre])
        nearest = np.minimum(nearest, distances)
        nearest[chosen[:place]] = -1.0  # a point is chosen once, be others equal to it
        chosen[place] = np.argmax(nearest)
    return chosen
