"""Wilson's interval: how low a share may be that was seen to be so high."""

from math import sqrt

Z = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""


def lower_bound(share: float | None, n: int) -> float | None:
    """The lower end of Wilson's 95 % score interval (1927) of `share` seen in `n` trials.

        (p + z²/2n - z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)

    Unlike a bootstrap's it stays below 1 where everything was right. None where the share is
    undefined or `n` is 0.

    >>> round(lower_bound(0.8, 100), 4), round(lower_bound(1.0, 100), 4), lower_bound(None, 5)
    (0.7112, 0.963, None)
    """
    if share is None or n < 1:
        return None
    square = Z * Z / n
    spread = Z * sqrt(share * (1 - share) / n + square / (4 * n))
    return min(max(0.0, (share + square / 2 - spread) / (1 + square)), share)
