"""A figure: an estimate, what it rests on, and how sure it is."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.agreement.bootstrap import Interval, percentiles, times_drawn
from pipelines.agreement.wilson import lower_bound

Statistic = Callable[..., float | None]
"""A function of some totals."""

SEED = 0
"""Of the resamples: equal judgments have equal intervals."""
BLOCKS = 1_000
"""Most units that are resampled. Of more prompts, neighbours in the order of their ids, which are
hashes, are drawn together: totals of random blocks spread as totals of prompts do, and the time
does not grow with the number of prompts."""
LEAST_PROMPTS = 20
"""Of fewer prompts resamples tell too little of how a figure spreads to be sure of it."""


class Figure(NamedTuple):
    """One estimate."""

    value: float
    n: int
    """How many observations it rests on."""
    interval: Interval | None
    """95 %, by bootstrap over prompts; None where too few prompts say something."""
    prompts: int
    """How many prompts these observations are of."""


def figure(sums: pl.DataFrame, statistic: Statistic, n: str, *, sure: bool = True) -> Figure | None:
    """`statistic` of the totals of `sums`, a row per prompt; None where it is undefined.

    `sums` has the column `prompt`, then columns that add up over prompts, which the statistic
    takes in their order. `n` names the one that counts the observations. Without `sure` no
    interval is worked out.
    """
    columns = sums.sort("prompt").drop("prompt")
    rows = columns.to_numpy().astype(np.float64)
    value = statistic(*rows.sum(axis=0))
    if value is None:
        return None
    interval = _interval(rows, statistic) if sure else None
    prompts = int((columns[n] > 0).sum())
    return Figure(float(value), int(columns[n].sum()), interval, prompts)


def share(sums: pl.DataFrame, n: str, *, sure: bool = True) -> Figure | None:
    """The share that the one column of `sums` is of the other, `n`; both count, by prompt."""
    found = figure(sums, ratio, n, sure=sure)
    return None if found is None else beyond_the_seen(found)


def beyond_the_seen(found: Figure) -> Figure:
    """A share that is 0 or 1 with Wilson's interval, the prompts being the trials.

    There every resample is alike, and the bootstrap's interval a point.

    >>> beyond_the_seen(Figure(1.0, 16, Interval(1.0, 1.0), 3)).interval
    Interval(low=0.4385029682449545, high=1.0)
    """
    low = lower_bound(1.0, found.prompts)
    if found.interval is None or low is None or found.value not in (0, 1):
        return found
    return found._replace(interval=Interval(low, 1.0) if found.value else Interval(0.0, 1 - low))


def ratio(top: float, bottom: float) -> float | None:
    """A share, or a mean.

    >>> ratio(3, 4), ratio(0, 0)
    (0.75, None)
    """
    return top / bottom if bottom else None


def correlation(product: float, left: float, right: float) -> float | None:
    """Pearson's r, from the sums of products and squares of centred values.

    >>> correlation(3, 4, 9), correlation(0, 0, 5)
    (0.5, None)
    """
    return product / float(np.sqrt(left * right)) if left > 0 and right > 0 else None


def _interval(rows: npt.NDArray[np.float64], statistic: Statistic) -> Interval | None:
    """That of `bootstrap`, whose resamples are all summed at once."""
    blocks = _blocks(rows)
    if len(blocks) < 2:
        return None
    totals = times_drawn(len(blocks), SEED) @ blocks
    return percentiles([statistic(*one) for one in totals])


def _blocks(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The totals of at most `BLOCKS` stretches of the rows."""
    if len(rows) <= BLOCKS:
        return rows
    starts = np.arange(BLOCKS) * len(rows) // BLOCKS
    return np.add.reduceat(rows, starts, axis=0)
