"""Estimates: a total with its 95 % interval, from what was counted on a sample."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pvariance

Z = 1.96
"""Standard deviations on either side of a 95 % interval."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A forecast total, and half the width of its 95 % interval; None where it cannot be told."""

    value: float
    plus_minus: float | None


def scaled(values: Sequence[float], total: int) -> Estimate:
    """The total over `total` units from those counted, with a 95 % interval.

    N x mean, and 1.96 N sqrt((1 - m/N) s^2 / m): simple random sampling without replacement.
    One unit of several tells no spread, so that there is no interval.
    """
    m = len(values)
    if m == 1 < total:
        return Estimate(total * values[0], None)
    spread = pvariance(values) * m / (m - 1) if m > 1 else 0.0
    error = total * math.sqrt(max(0.0, 1 - m / total) * spread / m)
    return Estimate(total * fmean(values), Z * error)


def widened(
    completion: Estimate, samples: Estimate, lengths: Sequence[int], per_token: float
) -> Estimate:
    """Widened by how well the mean length is known: samples x s / sqrt(k) of k known answers.

    `lengths` are theirs in characters. What is not known of `samples` counts in proportion. Without
    an interval where fewer than two are known, unless nothing at all is written.
    """
    k = len(lengths)
    if completion == Estimate(0.0, 0.0):
        return completion
    if k < 2 or completion.plus_minus is None or samples.plus_minus is None:
        return replace(completion, plus_minus=None if samples.value else 0.0)
    spread = math.sqrt(pvariance(lengths) * k / (k - 1))
    error = Z * samples.value * spread / per_token / math.sqrt(k)
    share = samples.plus_minus / samples.value if samples.value else 0.0
    sampled = max(completion.plus_minus, share * completion.value)
    return replace(completion, plus_minus=math.hypot(sampled, error))


def with_judgments(estimate: Estimate, values: Sequence[float], total: int, known: int) -> Estimate:
    """Widened by how well the share of re-asked judgments is known: from `known` units' judgments.

    1.96 N s / sqrt(known), N the units that still call of `total`, s the spread of their `values`.
    """
    calling = [value for value in values if value]
    if estimate.plus_minus is None or len(calling) < 2 or not known:
        return estimate
    spread = math.sqrt(pvariance(calling) * len(calling) / (len(calling) - 1))
    error = Z * total * len(calling) / len(values) * spread / math.sqrt(known)
    return replace(estimate, plus_minus=math.hypot(estimate.plus_minus, error))


def guessed(estimate: Estimate, values: Sequence[float], total: int, known: int) -> Estimate:
    """Widened by how well it is known which units call at all: 1.96 N s / sqrt(known).

    `values` are of the units that were counted, those without a call too, and s is their spread;
    they rest on replies of `known` units. Without an interval where fewer than two are known.
    """
    if known < 2 or estimate.plus_minus is None:
        return replace(estimate, plus_minus=None)
    error = Z * total * math.sqrt(pvariance(values) / known)
    return replace(estimate, plus_minus=math.hypot(estimate.plus_minus, error))


def times(estimate: Estimate, factor: float) -> Estimate:
    """An estimate of `factor` times as much."""
    wide = None if estimate.plus_minus is None else estimate.plus_minus * factor
    return Estimate(estimate.value * factor, wide)


def total_of(estimates: Sequence[Estimate | None]) -> Estimate | None:
    """The sum; its interval adds the half widths, as if all erred alike."""
    given = [one for one in estimates if one is not None]
    if len(given) < len(estimates):
        return None
    widths = [one.plus_minus for one in given]
    known = [wide for wide in widths if wide is not None]
    wide = sum(known) if len(known) == len(widths) else None
    return Estimate(sum(one.value for one in given), wide)
