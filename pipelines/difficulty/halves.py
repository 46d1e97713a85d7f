"""Halves: which pairs a reference run trains on, and which it scores."""

from typing import Literal

import polars as pl

from pipelines.selection.hashes import draw_integers

Half = Literal["first", "second"]
HALVES: tuple[Half, Half] = ("first", "second")
"""A run is called after the half that it scores; it trains on the other one."""


def halves(pairs: pl.DataFrame, seed: int) -> pl.Series:
    """The half of each of `pairs` (`pair_id`, `group`): "first" for one half of them, by the seed.

    Pairs of one group lie in one half, so that no run scores a pair after training on another one
    of its prompt. Groups are taken in the order of their draws until half of the pairs (rounded
    down) are taken, or the next group would take more. Depends on (seed, pairs) alone, not on order.
    """
    groups = pairs.group_by("group").agg(n=pl.len()).sort("group")
    drawn = draw_integers(groups, seed, "difficulty", pl.col("group")).alias("draw")
    in_order = groups.with_columns(drawn).sort("draw", "group")
    first = in_order.filter(pl.col("n").cum_sum() <= pairs.height // 2)["group"]
    is_first = pl.col("group").is_in(first.implode())
    return pairs.select(half=pl.when(is_first).then(pl.lit("first")).otherwise(pl.lit("second")))[
        "half"
    ]
