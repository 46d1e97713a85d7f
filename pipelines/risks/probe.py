"""A linear probe: how well a weighted sum of features tells two kinds of texts apart.

Ridge regression on labels -1 and +1, and a text belongs to where its sum is positive. Each text is
told by a probe that was fitted without its prompt.
"""

import numpy as np
import numpy.typing as npt

from pipelines.engine.blas import compute_alone

FOLDS = 5
PENALTY = 1.0
"""Ridge penalty on the weights: texts have length 1 in the space of features."""

Values = npt.NDArray[np.float64]


def held_out(features: Values, labels: Values, folds: npt.NDArray[np.int64]) -> Values:
    """The weighted sum of each row by the probe that was fitted on the other folds.

    `labels` are -1 and +1. NaN for a row whose fold leaves one of them, or nothing, to fit on.
    """
    compute_alone()  # equations this small are solved ten times faster than threads are woken up
    sums = np.full(len(labels), np.nan)
    for fold in np.unique(folds):
        out = folds == fold
        if len(np.unique(labels[~out])) == 2:
            sums[out] = _fitted(features[~out], labels[~out], features[out])
    return sums


def auc(sums: Values, labels: Values) -> float | None:
    """The share of (+1, -1) couples in which +1 has the larger sum; equal sums count half.

    >>> auc(np.array([0.9, 0.2, 0.2, -1.0]), np.array([1, 1, -1, -1]))
    0.875
    """
    positive, negative = sums[labels > 0], np.sort(sums[labels < 0])
    if not len(positive) or not len(negative):
        return None
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float((below + not_above).sum() / (2 * len(positive) * len(negative)))


def _fitted(rows: Values, labels: Values, others: Values) -> Values:
    """The sums of `others`. Solved for rows or for columns, whichever are fewer."""
    mean, centre = rows.mean(axis=0), labels.mean()
    rows, labels, others = rows - mean, labels - centre, others - mean
    if len(rows) < rows.shape[1]:
        products = rows @ rows.T
        products[np.diag_indices_from(products)] += PENALTY
        weights = rows.T @ np.linalg.solve(products, labels)
    else:
        products = rows.T @ rows
        products[np.diag_indices_from(products)] += PENALTY
        weights = np.linalg.solve(products, rows.T @ labels)
    return np.asarray(others @ weights + centre)
