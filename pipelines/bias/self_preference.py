"""Self-preference: whether a judge favours the answers of its own family of models.

Its family may simply answer better. So the same duels as judges of other families see them stand
beside it: what a judge finds beyond them is the suspicious part.
"""

from collections.abc import Collection
from typing import NamedTuple

import polars as pl

from pipelines.bias.duels import sorted_duels
from pipelines.bias.figure import Figure, figure, ratio, share

MOST = 0.1
"""A win rate of its own family beyond that with the other judges by more than this is alarming."""


class SelfPreference(NamedTuple):
    """How one judge treats its own family."""

    family: str
    win_rate: Figure | None
    """(wins + ties/2) / duels of its family's answers against others'; 0.5: no difference."""
    difference: Figure | None
    """Mean score of its family's answers less that of the others' to the same prompt, in score
    units, averaged over prompts; None for a judge of comparisons."""
    beyond_others: Figure | None
    """Its win rate less that of judges of other families on the same duels, from -1 to 1."""


def self_preference(
    family: str,
    own: Collection[str],
    models: pl.Series,
    ratings: pl.DataFrame,
    duels: pl.DataFrame,
    others: pl.DataFrame,
) -> SelfPreference | None:
    """The figures of a judge of `family`, to which the models `own` belong.

    `models` has the model of each answer, by its number; `others` are the duels of judges
    of other families. None where the family has no answer, or every answer: nothing is known then.
    """
    ours = models.is_in(list(own))
    won = _wins(sorted_duels(duels), ours)
    if not won.height:
        return None
    return SelfPreference(family, share(_rate(won), "duels"), _difference(ratings, ours),
                          _beyond(won, _wins(sorted_duels(others), ours)))  # fmt: skip


def _wins(duels: pl.DataFrame, ours: pl.Series) -> pl.DataFrame:
    """Duels of our family against another, with `won` by ours: 1, 1/2 or 0."""
    a, b = ours.gather(duels["a"]), ours.gather(duels["b"])
    sides = duels.with_columns(a_ours=a, b_ours=b).filter(pl.col("a_ours") != pl.col("b_ours"))
    margin = pl.when("a_ours").then("margin").otherwise(-pl.col("margin"))
    return sides.select("prompt", "a", "b", won=(margin.sign() + 1) / 2)


def _rate(won: pl.DataFrame) -> pl.DataFrame:
    return won.group_by("prompt").agg(won=pl.col("won").sum(), duels=pl.len())


def _difference(ratings: pl.DataFrame, ours: pl.Series) -> Figure | None:
    sides = ratings.with_columns(ours=ours.gather(ratings["response"]))
    mean = pl.col("value").filter
    sums = sides.group_by("prompt").agg(
        apart=mean(pl.col("ours")).mean() - mean(~pl.col("ours")).mean()
    )
    sums = sums.drop_nulls().with_columns(prompts=pl.lit(1))
    return figure(sums, ratio, "prompts")


def _beyond(won: pl.DataFrame, by_others: pl.DataFrame) -> Figure | None:
    """On the duels that other judges saw too; their opinions of one duel are averaged."""
    key = ["prompt", "a", "b"]
    mine = won.group_by(key).agg(mine=pl.col("won").mean())
    theirs = by_others.group_by(key).agg(theirs=pl.col("won").mean())
    both = mine.join(theirs, on=key)
    sums = both.group_by("prompt").agg(
        beyond=(pl.col("mine") - pl.col("theirs")).sum(), duels=pl.len()
    )
    return figure(sums, ratio, "duels")
