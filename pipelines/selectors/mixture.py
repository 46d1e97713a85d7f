"""A mixture: the values of a column in given proportions."""

from fractions import Fraction
from typing import Any

import polars as pl
from pydantic import Field, field_validator

from pipelines.part import Threshold, Where, micro
from pipelines.selection.grouping import check_group
from pipelines.selection.seeded import seeded_order
from pipelines.selector import Selector


class Mixture(Selector):
    """Keeps the largest set of pairs in which the groups have the wanted weights.

    One group stays whole, the one that is smallest for its weight; the others are down-sampled by
    the seed, rounded down. Where a group with a weight is empty, no set has the wanted weights, and
    nothing is kept: each pair is dropped as `mixture_impossible`.
    """

    by: str
    """Column of pairs whose values are the groups: source, task, lang, chosen_model..."""
    weights: dict[str, Threshold] = Field(min_length=1)
    """Value -> weight, above 0; only their proportions matter. Pairs of other values are dropped."""

    @field_validator("weights")
    @classmethod
    def _positive(cls, weights: dict[str, Threshold]) -> dict[str, Threshold]:
        if wrong := [value for value, weight in weights.items() if micro(weight) <= 0]:
            raise ValueError(f'the weight of "{wrong[0]}" must be above 0; leave it out instead')
        return weights

    @property
    def reads(self) -> frozenset[str]:  # type: ignore[override]
        """The column of the groups."""
        return frozenset((self.by,))

    def check(self, where: Where) -> None:
        """Raises RecipeError for a column that has no groups."""
        check_group(self.by, where, "by")

    def drops(self, pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
        """Pairs of values without a weight, and the surplus of the others."""
        draw = seeded_order(pairs["pair_id"], seed, self.name)
        weighted = pl.col("group").is_in(list(self.weights)).fill_null(False)
        drawn = pairs.select("pair_id", group=pl.col(self.by), draw=draw).sort("draw", "pair_id")
        drawn = drawn.with_columns(place=pl.int_range(pl.len()).over("group"), weighted=weighted)
        sizes = {value: drawn.filter(group=value).height for value in self.weights}
        kept = largest_mixture(sizes, {value: micro(one) for value, one in self.weights.items()})
        surplus = "mixture_surplus" if all(sizes.values()) else "mixture_impossible"
        limit: Any = pl.col("group").replace_strict(kept, default=0, return_dtype=pl.Int64)
        reason = pl.when("weighted").then(pl.lit(surplus)).otherwise(pl.lit("not_in_mixture"))
        return drawn.filter(pl.col("place") >= limit).select("pair_id", reason=reason)


def largest_mixture(sizes: dict[str, int], weights: dict[str, int]) -> dict[str, int]:
    """How many of each group to keep, from their sizes and whole weights.

    >>> largest_mixture({"math": 30, "code": 10, "chat": 100}, {"math": 2, "code": 1, "chat": 1})
    {'math': 20, 'code': 10, 'chat': 10}
    """
    scale = min(Fraction(sizes[group], weights[group]) for group in sizes)
    return {group: int(scale * weights[group]) for group in sizes}
