"""Length control: a judge's scores without what the length of answers explains of them.

    score(i, p) = level(p) + slope * x(i, p) + rest(i, p)        x: log2 of the characters

is fitted by least squares to all scores of one judge, with a level for each prompt (fixed effects),
and slope * (x - mean x of the prompt) is taken off each score. So the margin between two answers to
one prompt is that of the rests, a prompt's mean score stays, and the slope reads as the score units
that an answer of twice the length gets. After Dubois et al. (2024), length-controlled AlpacaEval,
arXiv 2404.04475, with ordinary least squares in the place of a logistic model.

All sums are of integers (micro-units), so neither the order of rows nor threads change a bit.
"""

from fractions import Fraction
from typing import NamedTuple

import polars as pl

from pipelines.scoring.rounding import rounded
from schemas.canonical import MICRO


class Controlled(NamedTuple):
    """Scores after control."""

    ratings: pl.DataFrame
    """As they were given, with the controlled `value`."""
    slope: float | None
    """Score units for each doubling of the length; None where no prompt has answers of different
    length with a score, and nothing is taken off."""


def controlled(ratings: pl.DataFrame, n_chars: pl.Series) -> Controlled:
    """As `control`, of scores in score units; `n_chars` by the number of the response."""
    micro = ratings.with_columns(
        value=rounded(pl.col("value") * MICRO), n_chars=n_chars.gather(ratings["response"])
    )
    found, slope = control(micro)
    return Controlled(found.with_columns(pl.col("value") / MICRO).drop("n_chars"), slope)


def without_length(own: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """`own` with the controlled `value`: a judge's scores in micro-units (a double, not rounded).

    By the column `response`; `responses` have its `prompt` and `n_chars`.
    """
    facts = responses.select("response", "prompt", "n_chars")
    scored = own.with_columns(rounded(pl.col("value"))).join(facts, on="response", how="left")
    found, _ = control(scored)
    return found.select(own.columns).with_columns(pl.col("value").cast(pl.Float64))


def control(scored: pl.DataFrame) -> tuple[pl.DataFrame, float | None]:
    """`scored` with `value` less what length explains of it, and the slope.

    Columns `prompt`, `value` (Int64 micro-units), `n_chars`; a row without one of the two takes no
    part and stays. An empty text counts as one character.
    """
    log = rounded(pl.col("n_chars").clip(1).log(2) * MICRO)
    takes_part = pl.col("value").is_not_null() & pl.col("n_chars").is_not_null()
    with_log = scored.with_columns(x=pl.when(takes_part).then(log))
    slope = _slope(with_log)
    if slope is None:
        return scored, None
    x, n = pl.col("x").cast(pl.Int128), pl.col("x").count().over("prompt")
    beyond = n * x - x.sum().over("prompt")
    explained = rounded((beyond * slope).cast(pl.Float64) / n.cast(pl.Float64) / MICRO)
    value = pl.col("value") - explained.fill_null(0)
    return with_log.with_columns(value=value).drop("x"), slope / MICRO


def _slope(with_log: pl.DataFrame) -> int | None:
    """The slope in whole micro-units: sum S_xy / sum S_xx over prompts, an exact fraction, rounded.

    n S_xy = n sum(x y) - sum(x) sum(y) is whole, so prompts of one n are added up before dividing.
    """
    x, y = pl.col("x").cast(pl.Int128), pl.col("value").cast(pl.Int128)
    sums = with_log.filter(pl.col("x").is_not_null()).group_by("prompt").agg(
        n=pl.len().cast(pl.Int128), x=x.sum(), y=y.sum(), xx=(x * x).sum(), xy=(x * y).sum()
    )  # fmt: skip
    n, x, y = pl.col("n"), pl.col("x"), pl.col("y")
    of_size = sums.group_by("n").agg(
        xy=(n * pl.col("xy") - x * y).sum(), xx=(n * pl.col("xx") - x * x).sum()
    )
    rows = list(of_size.iter_rows())
    s_xx = sum((Fraction(xx, size) for size, _, xx in rows), Fraction())
    if not s_xx:
        return None
    return round(sum((Fraction(xy, size) for size, xy, _ in rows), Fraction()) * MICRO / s_xx)
