"""Annotators: how far the people, or samples, behind one judge's name agree with each other."""

from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.agreement.kappa import fleiss
from pipelines.agreement.krippendorff import alpha
from pipelines.agreement.ratings import Ratings
from schemas.canonical import MICRO


class Annotators(NamedTuple):
    """How several votes of one judge on the same answer, or comparison in one order, agree."""

    n: int
    """Answers, or comparisons, with several votes."""
    votes: int
    """Most votes on one of them."""
    alpha: float | None
    """Krippendorff's: ordinal of verdicts (b, tie, a), interval of scores and ranks."""
    fleiss: float | None
    """Fleiss' kappa of the verdicts, where there are so many votes; None for scores."""


def annotators(said: pl.DataFrame) -> Annotators | None:
    """Of one judge's judgments; None where nothing was judged by several.

    A judge that compares is taken by its comparisons alone.
    """
    of_two = said["comparison"].null_count() < said.height
    votes = _of_comparisons(said) if of_two else _of_answers(said)
    ratings = _beside_each_other(votes.drop_nulls())
    if not len(ratings):
        return None
    n, most = ratings.shape
    if of_two:
        return Annotators(n, most, alpha(ratings, "ordinal"), fleiss(ratings))
    return Annotators(n, most, alpha(ratings, "interval"), None)


def _of_comparisons(said: pl.DataFrame) -> pl.DataFrame:
    verdict = pl.col("verdict").replace_strict({"a": 1, "b": -1, "tie": 0}, default=None)
    scores = (pl.col("score_a") - pl.col("score_b")).sign()
    return said.select(
        unit=pl.struct("comparison", "order").rank("dense"),
        value=pl.coalesce(scores, verdict).cast(pl.Float64),
    )


def _of_answers(said: pl.DataFrame) -> pl.DataFrame:
    value = pl.coalesce("score", -MICRO * pl.col("rank")) / MICRO
    return said.select(unit="response", value=value)


def _beside_each_other(votes: pl.DataFrame) -> Ratings:
    """Units with several votes down, their first, second... vote across; NaN where there is none.

    Who gave a vote plays no part in the coefficients.
    """
    several = votes.filter(pl.len().over("unit") > 1).sort("unit", "value")
    row = several["unit"].rle_id().to_numpy()
    place = several.select(pl.int_range(pl.len()).over("unit")).to_series().to_numpy()
    shape = (int(row.max()) + 1, int(place.max()) + 1) if len(row) else (0, 0)
    ratings = np.full(shape, np.nan)
    ratings[row, place] = several["value"].to_numpy()
    return ratings
