"""Distribution: whether a judge tells answers apart at all; one that always says 8 is of no use."""

from typing import NamedTuple

import polars as pl

from pipelines.bias.figure import Figure, share
from schemas.canonical import MICRO

MOST_LEVELS = 50
"""Scores with more distinct values are no levels of a scale: their entropy means nothing."""
MOST = 0.9
"""One score that takes more than this share of all is alarming, and so is it if more than this
share of duels are ties."""


class Distribution(NamedTuple):
    """How one judge's scores, or verdicts, are spread."""

    n: int
    """Scores of single answers that were read."""
    low: float
    mean: float
    high: float
    deviation: float
    """Standard deviation of all of them, in score units."""
    levels: dict[float, int] | None
    """Score -> how often it was given; None for scores on no scale of levels."""
    entropy: float | None
    """Of the levels, in bits: 0 where all scores are one, log2(k) for k equally frequent ones."""
    prompts: int
    """How many prompts the scores are of."""

    @property
    def commonest(self) -> tuple[float, float] | None:
        """The level that was given most often, and its share."""
        if not self.levels:
            return None
        level, count = max(self.levels.items(), key=lambda one: (one[1], one[0]))
        return level, count / self.n

    @property
    def at_top(self) -> float | None:
        """The share of the highest level given."""
        return self.levels[max(self.levels)] / self.n if self.levels else None


def distribution(said: pl.DataFrame) -> Distribution | None:
    """Of one judge's scores of single answers; None without any."""
    scored = said.filter(pl.col("response").is_not_null()).drop_nulls("score")
    scores = scored["score"] / MICRO
    if not scores.len():
        return None
    counts = scores.value_counts().sort(scores.name)
    levels = dict(counts.rows()) if counts.height <= MOST_LEVELS else None
    shares = counts["count"] / scores.len()
    spread = scores.sort()  # sums of floats depend on the order of their terms
    return Distribution(
        n=scores.len(),
        low=float(spread[0]),
        mean=float(spread.mean()),  # type: ignore[arg-type]
        high=float(spread[-1]),
        deviation=float(spread.std(ddof=0)),  # type: ignore[arg-type]
        levels=levels,
        entropy=float(shares.entropy(base=2)) if levels else None,  # type: ignore[arg-type]
        prompts=scored["prompt"].n_unique(),
    )


def ties(duels: pl.DataFrame) -> Figure | None:
    """Share of duels that the judge does not decide: no pair can come of them."""
    sums = duels.group_by("prompt").agg(ties=(pl.col("margin") == 0).sum(), duels=pl.len())
    return share(sums, "duels")
