"""Rounding: how a quotient of integers becomes an integer in micro-units again."""

import polars as pl


def rounded(expression: pl.Expr) -> pl.Expr:
    """`expression` as Int64, halves to the even neighbour, nulls kept."""
    return expression.round(0, mode="half_to_even").cast(pl.Int64)


def mean_micro(column: str) -> pl.Expr:
    """The mean of an Int64 column within its group, in whole micro-units; null without values.

    The sum is exact, and IEEE division rounds correctly, so a mean that ends in exactly one half
    is seen as such: the result is the half-even rounding of the true mean (below 2**53).
    """
    total, count = pl.col(column).sum(), pl.col(column).count()
    return rounded(pl.when(count > 0).then(total / count))
