"""The easiest share of the pairs, or the hardest."""

from decimal import Decimal
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, model_validator

from pipelines.part import Threshold, micro
from pipelines.selection.measured import column_of
from pipelines.selector import Selector
from schemas.canonical import MICRO


class Easiest(Selector):
    """Keeps the share of the pairs with the smallest value of a measure (Selective DPO: half).

    floor(share x n) of the n pairs that were measured; of equal ones those with the smaller ids.
    """

    reads: ClassVar[frozenset[str]] = frozenset()

    measure: str = "difficulty"
    """Name of the measure, as in [[measures]]: less of it is easier."""
    share: Threshold = Field(default=Decimal("0.5"), ge=0, le=1)
    """Which share is kept, in [0, 1]: the paper's tau. 0.6 for gemma-2-9b."""
    n: int | None = Field(default=None, ge=0)
    """Instead of a share, how many pairs."""
    take: Literal["easiest", "hardest"] = "easiest"
    """Which end is kept. "hardest": iTool's, by perplexity; active learning's, by entropy."""

    @model_validator(mode="after")
    def _one_size(self) -> "Easiest":
        if self.n is not None and "share" in self.model_fields_set:
            raise ValueError("give `n` or `share`")
        return self

    def measure_names(self) -> tuple[str, ...]:
        """The measure."""
        return (self.measure,)

    def most_pairs(self, prompts: int | None) -> int | None:
        """`n`."""
        return self.n

    def drops(self, pairs: pl.DataFrame, seed: int) -> pl.DataFrame:
        """What could not be measured, and what lies beyond the share."""
        value = column_of(self.measure)
        known = pairs.filter(pl.col(value).is_not_null()).select("pair_id", value)
        hardest = self.take == "hardest"
        in_order = known.sort(value, "pair_id", descending=[hardest, False])
        kept = micro(self.share) * known.height // MICRO if self.n is None else self.n
        beyond = in_order.slice(kept).select(
            "pair_id", reason=pl.lit("too_easy" if hardest else "too_hard")
        )
        unknown = pairs.filter(pl.col(value).is_null()).select(
            "pair_id", reason=pl.lit(f"{self.measure}_unknown")
        )
        return pl.concat([unknown, beyond])
