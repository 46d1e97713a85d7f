"""A linear probe: how well a weighted sum of features tells two kinds of texts apart.

Logistic regression, and a text belongs to where its sum is positive. Each text is told by a probe
that was fitted without its prompt.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FOLDS = 5
PENALTY = 0.1
"""Half of the squared weights counts so much: each kind of features has about unit length."""
SEED = 0
"""Of which prompts are in which fold."""
MOST_STEPS = 1000

Values = npt.NDArray[np.float64]


class Told(NamedTuple):
    """What the probes say of texts that they were not fitted on."""

    sums: Values
    """Positive where a text is taken for one labelled 1."""
    auc: float
    """The share of (1, 0) couples of which 1 has the larger sum, equal ones counting half: the mean
    over folds."""


def told(rows: "csr_matrix", labels: npt.NDArray[np.int64], prompts: pl.Series) -> Told:
    """Of each row, by the probe that was fitted on the folds without its prompt.

    `labels` are 1 and 0; there are at least `FOLDS` prompts, each with both.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold
    from threadpoolctl import threadpool_limits

    sums, areas = np.zeros(len(labels)), []
    folds = GroupKFold(FOLDS, shuffle=True, random_state=SEED)
    with threadpool_limits(1):  # steps this small take less than waking threads up for them
        for known, out in folds.split(rows, labels, prompts.to_numpy()):
            probe = LogisticRegression(C=1 / PENALTY, max_iter=MOST_STEPS)
            sums[out] = probe.fit(rows[known], labels[known]).decision_function(rows[out])
            areas.append(roc_auc_score(labels[out], sums[out]))
    return Told(sums, float(np.mean(areas)))
