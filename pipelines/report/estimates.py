"""Estimates become rows of `figures`."""

from collections.abc import Iterator

from pipelines.bias.figure import Figure as Estimate
from schemas.version import Figure

DIGITS = 4
"""Behind the point. What is left out depends on the machine that the build ran on."""


def rows(
    name: str, estimate: Estimate | None, subject: str = "", other: str = ""
) -> Iterator[Figure]:
    """The row of an estimate; none for one that is not defined."""
    if estimate is None:
        return
    low, high = estimate.interval or (None, None)
    yield Figure(
        figure=name,
        subject=subject,
        other=other,
        value=_rounded(estimate.value),
        low=None if low is None else _rounded(low),
        high=None if high is None else _rounded(high),
        n=estimate.n,
        prompts=estimate.prompts,
    )


def off_half(share: Estimate | None) -> Estimate | None:
    """How far a share is from one half, whichever way.

    >>> from pipelines.agreement.bootstrap import Interval
    >>> off_half(Estimate(0.25, 8, Interval(0.125, 0.625), 4))
    Figure(value=0.25, n=8, interval=Interval(low=0.0, high=0.375), prompts=4)
    """
    if share is None or share.interval is None:
        return share and share._replace(value=abs(share.value - 0.5))
    ends = sorted(abs(end - 0.5) for end in share.interval)
    low = 0.0 if share.interval.low <= 0.5 <= share.interval.high else ends[0]
    interval = share.interval._replace(low=low, high=ends[1])
    return share._replace(value=abs(share.value - 0.5), interval=interval)


def _rounded(value: float) -> float:
    return round(value, DIGITS) + 0.0
