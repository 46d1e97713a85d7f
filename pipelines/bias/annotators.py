"""Annotators: how far the people, or samples, behind one judge's name agree with each other."""

from typing import NamedTuple

import polars as pl

from pipelines.agreement.kappa import fleiss
from pipelines.agreement.krippendorff import alpha
from schemas.canonical import MICRO


class Annotators(NamedTuple):
    """How several annotators, or samples, of one judge agree."""

    n: int
    """Most votes on one answer, or comparison."""
    alpha: float | None
    """Krippendorff's: ordinal of verdicts (b, tie, a), interval of scores."""
    fleiss: float | None
    """Fleiss' kappa of the verdicts; None for scores."""


def annotators(said: pl.DataFrame) -> Annotators | None:
    """Of one judge's judgments; None where nothing was judged by several."""
    verdict = pl.col("verdict").replace_strict({"a": 1.0, "tie": 0.0, "b": -1.0}, default=None)
    scores = (pl.col("score_a") - pl.col("score_b")).sign()
    of_two = pl.col("comparison").is_not_null()
    value = pl.when(of_two).then(pl.coalesce(scores, verdict)).otherwise(pl.col("score") / MICRO)
    who = pl.concat_str("annotator", "sample_index", separator="#", ignore_nulls=True)
    votes = said.with_columns(value=value, who=who).drop_nulls("value")
    if votes["who"].n_unique() < 2:
        return None
    unit = "comparison" if votes["comparison"].null_count() < votes.height else "response"
    order = [unit] if votes["order"].null_count() == votes.height else [unit, "order"]
    wide = votes.drop_nulls(unit).pivot(
        "who", index=order, values="value", aggregate_function="mean", sort_columns=True
    )
    ratings = wide.drop(order).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if unit == "comparison":
        return Annotators(ratings.shape[1], alpha(ratings, "ordinal"), fleiss(ratings))
    return Annotators(ratings.shape[1], alpha(ratings, "interval"), None)
