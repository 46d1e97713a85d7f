"""Reading: how much of what a judge said could be read, and what the rest was."""

from typing import NamedTuple

import polars as pl

from pipelines.bias.figure import Figure, share

LEAST = 0.95
"""A smaller share of readable replies is alarming (methods: parse failures)."""
REASONS = 5
"""Most reasons that are listed."""
REFUSED = r"(?i)\brefus"
"""How the errors of a judge that refused, or whose endpoint did, say it."""


class Reading(NamedTuple):
    """What became of one judge's replies."""

    asked: int
    read: int
    refused: int
    """Of the unread ones, those in which the judge or its endpoint refused."""
    unread_rate: Figure | None
    reasons: dict[str, int]
    """Why the others could not be read, the commonest first: at most `REASONS`."""


def reading(said: pl.DataFrame) -> Reading:
    """Of one judge's judgments."""
    unread = said.filter(~readable())
    counts = unread["error"].fill_null("no reason given").value_counts()
    reasons = counts.sort("count", "error", descending=[True, False]).head(REASONS)
    sums = said.group_by("prompt").agg(unread=(~readable()).sum(), asked=pl.len())
    return Reading(
        asked=said.height,
        read=said.height - unread.height,
        refused=int(unread["error"].str.contains(REFUSED).sum()),
        unread_rate=share(sums, "asked"),
        reasons=dict(reasons.rows()),
    )


def readable() -> pl.Expr:
    """Whether a judgment says something: a score, a rank, a verdict or a probability."""
    return pl.any_horizontal(pl.col("score", "score_a", "rank", "verdict", "p_a").is_not_null())
