"""How long the chosen text is against the rejected one."""

from decimal import Decimal
from typing import ClassVar

import polars as pl
from pydantic import Field, model_validator

from pipelines.filter import Filter, On
from pipelines.part import Threshold, micro
from schemas.canonical import MICRO

_SIDES = ("chosen", "rejected")


class LengthRatio(Filter):
    """Keeps pairs whose ratio of characters, chosen / rejected, lies in a closed band."""

    on: ClassVar[On] = "pairs"

    min: Threshold = Field(default=Decimal(0), ge=0)
    """Smallest ratio that is kept."""
    max: Threshold | None = Field(default=None, ge=0)
    """Largest ratio that is kept."""

    @model_validator(mode="after")
    def _bounded(self) -> "LengthRatio":
        if self.max is None and self.min == 0:
            raise ValueError("give `min`, `max`, or both")
        if self.max is not None and self.min > self.max:
            raise ValueError(f"no ratio lies between {self.min} and {self.max}")
        return self

    def drops(self) -> dict[str, pl.Expr]:
        """A pair with an empty text has no ratio, and that reason alone."""
        chosen, rejected = (pl.col(f"{side}_n_chars").cast(pl.Int128) for side in _SIDES)
        known = ((chosen > 0) & (rejected > 0)).fill_null(False)
        reasons = {
            "no_length": ~known,
            "length_ratio_too_low": known & (chosen * MICRO < micro(self.min) * rejected),
        }
        if self.max is not None:
            too_high = known & (chosen * MICRO > micro(self.max) * rejected)
            reasons["length_ratio_too_high"] = too_high
        return reasons
