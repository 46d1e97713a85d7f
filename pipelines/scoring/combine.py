"""Combine: the scores that several judges give a response become one.

The arithmetic is in double precision, column by column in one order, so neither the order of rows
nor the number of threads changes a bit; the result is rounded once, by the caller.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import polars as pl

from schemas.canonical import MICRO

if TYPE_CHECKING:
    from pipelines.scoring.score import Score


def combined(score: "Score", values: Mapping[str, pl.Expr]) -> pl.Expr:
    """The score in micro-units, before rounding; `values` are those of each judge, by its name.

    Null where none, or with `require` "all" not every one, is there.
    """
    columns = list(values.values()) or [pl.lit(None, dtype=pl.Float64)]
    present = total(value.is_not_null() for value in columns)
    needs_all = score.require == "all" or score.combine == "log_sigmoid"
    enough = present >= (len(columns) if needs_all else 1)
    if score.combine in ("mean", "zscore"):
        one = total(value.fill_null(0.0) for value in columns) / present
    elif score.combine == "median":
        one = pl.concat_list(columns).list.drop_nulls().list.median()
    elif score.combine == "min":
        one = pl.min_horizontal(columns)
    elif score.combine == "weighted":
        shares = [(score.weights[judge], value) for judge, value in values.items()]
        weighed = total(weight * value.fill_null(0.0) for weight, value in shares)
        one = weighed / total(weight * value.is_not_null() for weight, value in shares)
    elif score.combine == "first":
        one = _first([values[judge] for judge in score.judges])
    else:
        one = total(_log_sigmoid(value, _center(score, judge)) for judge, value in values.items())
    return pl.when(enough).then(one.cast(pl.Float64))


def total(terms: Iterable[pl.Expr]) -> pl.Expr:
    """The sum from left to right: a fixed order, which `sum_horizontal` does not promise."""
    return reduce(add, terms, pl.lit(0))


def _first(values: list[pl.Expr]) -> pl.Expr:
    """Of the first judge that scored two responses of the prompt, or else one."""
    whose = pl.lit(None, dtype=pl.Float64)
    for fewest in (1, 2):
        for value in reversed(values):
            speaks = value.count().over("prompt") >= fewest
            whose = pl.when(speaks).then(value).otherwise(whose)
    return whose


def _center(score: "Score", judge: str) -> float:
    return score.center[judge] if isinstance(score.center, dict) else score.center


def _log_sigmoid(value: pl.Expr, center: float) -> pl.Expr:
    """The natural log of sigma(value - center), in micro-units, in a form that cannot overflow."""
    z = value / MICRO - center
    return (pl.min_horizontal(z, 0.0) - (-z.abs()).exp().log1p()) * MICRO
