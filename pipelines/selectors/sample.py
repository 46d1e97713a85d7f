"""A seeded sample of the pairs."""

from typing import ClassVar

import polars as pl
from pydantic import Field, model_validator

from pipelines.part import Threshold, micro
from pipelines.selection.seeded import seeded_order
from pipelines.selector import Selector
from schemas.canonical import MICRO


class Sample(Selector):
    """Keeps so many pairs, or a share of them, drawn without regard to their prompts."""

    reads: ClassVar[frozenset[str]] = frozenset()

    n: int | None = Field(default=None, ge=0)
    """How many pairs; all, where there are fewer. Give `n` or `fraction`."""
    fraction: Threshold | None = Field(default=None, ge=0, le=1)
    """Which share of the pairs, in [0, 1]; the number is rounded down."""

    @model_validator(mode="after")
    def _one_size(self) -> "Sample":
        if (self.n is None) == (self.fraction is None):
            raise ValueError("give `n` or `fraction`")
        return self

    def most_pairs(self, prompts: int | None) -> int | None:
        """`n`."""
        return self.n

    def drops(self, pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
        """Each pair draws a number by its id; the smallest numbers stay."""
        draw = seeded_order(pairs["pair_id"], seed, self.name)
        drawn = pairs.select("pair_id", draw=draw).sort("draw", "pair_id")
        dropped = drawn.slice(self._size(pairs.height))
        return dropped.select("pair_id", reason=pl.lit("not_sampled"))

    def _size(self, available: int) -> int:
        if self.fraction is not None:
            return available * micro(self.fraction) // MICRO
        return self.n or 0
