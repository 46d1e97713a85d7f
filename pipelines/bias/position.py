"""Position: whether a judge of comparisons favours the answer that it is shown first.

    flip rate   share of the votes on both orders whose orders disagree (a tie in one of them too)
    A-rate      share of ordered comparisons in which the first shown is preferred; those without a
                preference are left out of both sides of the fraction (ZEPO, arXiv 2406.11370)
    fairness    -|A-rate - 1/2|, at most 0: what ZEPO maximises

Recorded comparisons do not say in which order they were shown, so nothing is known of them here.
"""

from typing import NamedTuple

import polars as pl

from pipelines.bias.figure import Figure, share
from pipelines.scoring.comparisons import VOTE

MOST = 0.1
"""|A-rate - 1/2| beyond this is alarming."""
MOST_FLIPS = 1 / 3
"""A flip rate beyond this is alarming: GPT-4's was 35 % on MT-bench (arXiv 2306.05685, table 2)."""


class Position(NamedTuple):
    """What the order does to one judge."""

    flip_rate: Figure | None
    """None where no vote has both orders read."""
    a_rate: Figure | None
    """None where no ordered comparison shows a preference."""

    @property
    def fairness(self) -> float | None:
        """ZEPO's fairness, from -1/2 to 0."""
        return None if self.a_rate is None else -abs(self.a_rate.value - 0.5)


def position(said: pl.DataFrame, *, sure: bool = True) -> Position:
    """The figures of one judge's judgments. The order is "AB" or "BA", null where not known."""
    ordered = said.filter(pl.col("order").is_not_null()).with_columns(opinion=_opinion())
    ordered = ordered.filter(pl.col("opinion").is_not_null())
    return Position(_flip_rate(ordered, sure=sure), _a_rate(ordered, sure=sure))


def _flip_rate(ordered: pl.DataFrame, *, sure: bool) -> Figure | None:
    votes = ordered.group_by("prompt", *VOTE).agg(
        orders=pl.col("order").n_unique(),
        flipped=pl.col("opinion").min() != pl.col("opinion").max(),
    )
    sums = (
        votes.filter(orders=2).group_by("prompt").agg(flips=pl.col("flipped").sum(), votes=pl.len())
    )
    return share(sums, "votes", sure=sure)


def _a_rate(ordered: pl.DataFrame, *, sure: bool) -> Figure | None:
    decided = ordered.filter(pl.col("opinion") != 0)
    first = (pl.col("opinion") == 1) == (pl.col("order") == "AB")
    sums = decided.group_by("prompt").agg(first=first.sum(), decided=pl.len())
    return share(sums, "decided", sure=sure)


def _opinion() -> pl.Expr:
    """1 for `a`, -1 for `b`, 0 for none: by scores, else the verdict, else the probability."""
    verdict = pl.col("verdict").replace_strict({"a": 1, "b": -1, "tie": 0}, default=None)
    scores = (pl.col("score_a") - pl.col("score_b")).sign()
    return pl.coalesce(scores, verdict, (pl.col("p_a") - 0.5).sign()).cast(pl.Int8)
