"""Figures: how far a judge was right, over all labelled pairs and in each category.

A pair that the judge did not read, or called a tie that is none, counts as wrong. Where nothing is
there to count, a figure is undefined: None, never 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.agreement.bootstrap import bootstrap
from pipelines.agreement.kappa import cohen
from pipelines.calibration.labelled import LabelledPair
from pipelines.calibration.opinion import SIGNS, Opinion
from pipelines.calibration.temperature import (
    calibration_error,
    fit_temperature,
    scaled_on_folds,
    sigmoid,
)
from schemas.calibration import Figure

Array = npt.NDArray[Any]

UNREAD = 2
"""In kappa, unread is an opinion of its own, which no label agrees with."""


@dataclass(frozen=True)
class Judged:
    """Labelled pairs, and what one judge said of each: rows of equal length."""

    pairs: Sequence[LabelledPair]
    opinions: Sequence[Opinion]
    seed: int = 0
    """Of folds and of resamples."""

    def figures(self, category: str | None = None) -> dict[str, Figure]:
        """Every figure by name, with its interval: of all pairs, or of those of a category."""
        own = [category is None or one.category == category for one in self.pairs]
        rows = np.array(own, dtype=bool)
        groups = np.array([pair.group for pair in self.pairs])[rows]
        found = {}
        for name, measure in FIGURES.items():
            columns, statistic = measure(self)
            found[name] = self._figure([one[rows] for one in columns], statistic, groups)
        return found

    def categories(self) -> dict[str, dict[str, Figure]]:
        """The figures of each category, sorted by name; none where there is but one."""
        names = sorted({pair.category for pair in self.pairs if pair.category is not None})
        return {name: self.figures(name) for name in names} if len(names) > 1 else {}

    def temperature(self) -> float | None:
        """Fitted on all pairs."""
        return fit_temperature(self.evidence[self._scorable], self.right_is_a[self._scorable])

    def _figure(self, columns: list[Array], statistic: "Statistic", groups: Array) -> Figure:
        value = statistic(*columns)
        found = None if value is None else bootstrap(columns, statistic, self.seed, groups=groups)
        low, high = (None, None) if found is None or value is None else _around(value, *found)
        counts = statistic in (share, fairness)
        n = columns[1].sum() if counts else (~np.isnan(columns[0])).sum()
        return Figure(value=value, low=low, high=high, n=int(n))

    # columns: one number for each pair

    @cached_property
    def labels(self) -> Array:
        """1, 0 or -1; NaN for a pair without a label."""
        return _numbers(None if one.label is None else SIGNS[one.label] for one in self.pairs)

    @cached_property
    def verdicts(self) -> Array:
        """As `labels`; NaN for unread."""
        return _numbers(one.verdict for one in self.opinions)

    @cached_property
    def orders(self) -> Array:
        """Verdicts in both orders, one row for each order."""
        return np.array([_numbers(one.orders[at] for one in self.opinions) for at in (0, 1)])

    @cached_property
    def asked(self) -> Array:
        """Whether a pair has a label and was shown, one row for each order."""
        asked = np.array([[one.asked[at] for one in self.opinions] for at in (0, 1)], dtype=bool)
        return asked & ~np.isnan(self.labels)

    @cached_property
    def evidence(self) -> Array:
        """Log-odds or differences of scores; NaN without."""
        return _numbers(one.evidence for one in self.opinions)

    @cached_property
    def right_is_a(self) -> Array:
        """1 where a is right, 0 where b is; NaN for ties, of which no confidence is wanted."""
        return np.where(self.labels == 0, np.nan, (self.labels + 1) / 2)

    @cached_property
    def probabilities(self) -> Array:
        """Of a, as the judge gives them: of scores, by a temperature of 1."""
        p = np.full(len(self.pairs), np.nan)
        p[self._scorable] = sigmoid(self.evidence[self._scorable])
        return p

    @cached_property
    def scaled(self) -> Array:
        """Of a, each by a temperature that was fitted without its pair."""
        p = np.full(len(self.pairs), np.nan)
        rows = np.flatnonzero(self._scorable)
        groups = [self.pairs[int(row)].group for row in rows]
        p[rows] = scaled_on_folds(self.evidence[rows], self.right_is_a[rows], groups, self.seed)
        return p

    @cached_property
    def _scorable(self) -> Array:
        return np.asarray(~np.isnan(self.evidence) & ~np.isnan(self.right_is_a))


def _around(value: float, low: float, high: float) -> tuple[float, float]:
    """The interval, widened to hold the figure: each resample adds to an ECE's noise in its bins."""
    return min(low, value), max(high, value)


def share(part: Array, whole: Array) -> float | None:
    """The sum of one column over that of another."""
    total = whole.sum()
    return float(part.sum() / total) if total else None


def fairness(first: Array, decided: Array) -> float | None:
    """ZEPO's fairness, -|A-rate - 1/2|: 0 for a judge that prefers no position."""
    rate = share(first, decided)
    return None if rate is None else -abs(rate - 0.5)


def first_wins(orders: Array) -> tuple[Array, Array]:
    """Of each pair: ordered comparisons that what was shown first won, and those decided at all.

    Ties, equal probabilities and what could not be read are in neither.
    """
    shown_first = np.array([orders[0] == 1, orders[1] == -1])
    return shown_first.sum(axis=0), (np.abs(orders) == 1).sum(axis=0)


def _accuracy(judged: Judged) -> "Measured":
    labelled = np.asarray(~np.isnan(judged.labels))
    return (labelled & (judged.verdicts == judged.labels), labelled), share


def _accuracy_read(judged: Judged) -> "Measured":
    read = np.asarray(~np.isnan(judged.labels) & ~np.isnan(judged.verdicts))
    return (read & (judged.verdicts == judged.labels), read), share


def _accuracy_in(at: int) -> "Measure":
    def measured(judged: Judged) -> Measured:
        right = judged.asked[at] & (judged.orders[at] == judged.labels)
        return (right, judged.asked[at]), share

    return measured


def _consistency(judged: Judged) -> "Measured":
    both = np.asarray(~np.isnan(judged.orders).any(axis=0))
    return (both & (judged.orders[0] == judged.orders[1]), both), share


def _ties(judged: Judged) -> "Measured":
    return (judged.verdicts == 0, np.asarray(~np.isnan(judged.verdicts))), share


def _read(judged: Judged) -> "Measured":
    counts = [(one.read, one.replies) for one in judged.opinions]
    read, replies = np.array(counts, dtype=np.int64).reshape(-1, 2).T
    return (read, replies), share


def _a_rate(judged: Judged) -> "Measured":
    return first_wins(judged.orders), share


def _fairness(judged: Judged) -> "Measured":
    return first_wins(judged.orders), fairness


def _kappa(judged: Judged) -> "Measured":
    said = np.where(np.isnan(judged.verdicts), UNREAD, judged.verdicts)
    return (judged.labels, said), cohen


def _ece(judged: Judged) -> "Measured":
    return (judged.probabilities, judged.right_is_a), calibration_error


def _ece_scaled(judged: Judged) -> "Measured":
    return (judged.scaled, judged.right_is_a), calibration_error


Statistic = Callable[..., float | None]

Measured = tuple[tuple[Array, Array], Statistic]
"""Two columns, and the statistic of them."""

Measure = Callable[[Judged], Measured]

FIGURES: dict[str, Measure] = {
    "accuracy": _accuracy,
    "accuracy_read": _accuracy_read,
    "accuracy_ab": _accuracy_in(0),
    "accuracy_ba": _accuracy_in(1),
    "consistency": _consistency,
    "ties": _ties,
    "read": _read,
    "a_rate": _a_rate,
    "fairness": _fairness,
    "kappa": _kappa,
    "ece": _ece,
    "ece_scaled": _ece_scaled,
}
"""Name -> what is measured. `accuracy` is that of both orders together, `accuracy_read` the same of
pairs that were read, `consistency` the share of pairs read in both orders that have one verdict,
`read` the share of replies that could be read."""


def _numbers(values: Any) -> Array:
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)
