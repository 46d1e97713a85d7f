"""List position: whether the place in a list of answers decides what a list-wise judge says of them.

A judge that reads several answers at once should say the same of an answer wherever it stands; such
judges rotate their lists, so every answer stands in several places.
"""

from typing import NamedTuple

import polars as pl

from pipelines.bias.figure import Figure
from pipelines.bias.traits import score_correlation
from schemas.canonical import MICRO

MOST = 0.2
"""A correlation beyond this is alarming."""


class ListPosition(NamedTuple):
    """What the place does to one judge."""

    means: dict[int, float]
    """Place, from 1 -> mean rank of what stood there, 1 the best; where there are only scores, the
    mean score, in score units."""
    ranked: bool
    """Whether the means are of ranks."""
    correlation: Figure | None
    """Spearman's, of the place with how good the answer is found, within prompts. Above 0: late
    places are favoured."""


def list_position(said: pl.DataFrame) -> ListPosition | None:
    """The figures of one judge's judgments; None where no place is known, or only one.

    The place is `position`, or stands in `order` as "2/4".
    """
    place = pl.coalesce("position", pl.col("order").str.extract(r"^(\d+)/\d+$").cast(pl.Int64))
    value = pl.coalesce("score", -MICRO * pl.col("rank")) / MICRO
    shown = said.select("prompt", "rank", place=place, value=value).drop_nulls(["place", "value"])
    if shown["place"].n_unique() < 2:
        return None
    ranked = shown["rank"].null_count() == 0
    means = shown.group_by("place").agg(pl.col("rank" if ranked else "value").mean()).sort("place")
    rows = shown.with_row_index("response")
    return ListPosition(dict(means.rows()), ranked, score_correlation(rows, rows["place"]))
