"""Nested subsets: a share of the pairs in which every group keeps its share."""

from typing import Any

import polars as pl
from pydantic import Field, model_validator

from pipelines.part import Threshold, Where, micro
from pipelines.selection.grouping import check_group
from pipelines.selection.seeded import seeded_order
from pipelines.selector import Selector
from schemas.canonical import MICRO


class Subset(Selector):
    """A seeded subset of the pairs, the same share of each group, for a curve of data efficiency.

    The i-th pair that is drawn of a group of m stands at (i - 1/2) / m. A subset is all that stands
    before a point on this line, so each one holds every smaller one, and each group has as many
    pairs of it as its share says, to within half a pair.
    """

    by: str | None = None
    """Column of pairs whose values are the groups: source, task, lang, chosen_model... A missing
    value is a group too. Default: all pairs are one."""
    share: Threshold | None = Field(default=None, ge=0, le=1)
    """Which share of every group, in [0, 1]. Give `share` or `n`."""
    n: int | None = Field(default=None, ge=0)
    """How many pairs in all; all of them, where there are fewer."""

    @model_validator(mode="after")
    def _one_size(self) -> "Subset":
        if (self.n is None) == (self.share is None):
            raise ValueError("give `share` or `n`")
        return self

    @property
    def reads(self) -> frozenset[str]:  # type: ignore[override]
        """The column of the groups."""
        return frozenset(() if self.by is None else (self.by,))

    def check(self, where: Where) -> None:
        """Raises RecipeError for a column that has no groups."""
        if self.by is not None:
            check_group(self.by, where, "by")

    def most_pairs(self, prompts: int | None) -> int | None:
        """`n`."""
        return self.n

    def drops(self, pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
        """What stands behind the point. Of pairs at one place the smaller draw comes first."""
        group: Any = pl.lit("") if self.by is None else pl.col(self.by)
        draw = seeded_order(pairs["pair_id"], seed, self.name)
        drawn = pairs.select("pair_id", group=group, draw=draw).sort("draw", "pair_id")
        placed = drawn.with_columns(
            odd=2 * pl.int_range(1, pl.len() + 1).over("group") - 1,
            size=pl.len().cast(pl.Int64).over("group"),
        )
        return self._beyond(placed).select("pair_id", reason=pl.lit("not_in_subset"))

    def _beyond(self, placed: pl.DataFrame) -> pl.DataFrame:
        """What stands at the share or behind it; or what is left after the first `n`."""
        if self.share is not None:
            return placed.filter(pl.col("odd") * MICRO >= 2 * micro(self.share) * pl.col("size"))
        place = pl.col("odd") / pl.col("size")
        return placed.sort(place, "draw", "pair_id").slice(self.n or 0)
