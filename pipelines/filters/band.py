"""A band of a measure."""

from typing import ClassVar

import polars as pl
from pydantic import model_validator

from pipelines.filter import Filter, On
from pipelines.part import Real
from pipelines.selection.measured import column_of


class Band(Filter):
    """Keeps pairs by the value of a measure: as of a pass rate, 0.2 to 0.8.

    Measures are floating-point numbers, and are compared as such.
    """

    on: ClassVar[On] = "pairs"

    measure: str
    """Name of the measure, as in [[measures]]."""
    min: Real | None = None
    """Smallest value that is kept."""
    max: Real | None = None
    """Largest value that is kept."""

    @model_validator(mode="after")
    def _bounded(self) -> "Band":
        if self.min is None and self.max is None:
            raise ValueError("give `min`, `max`, or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"nothing lies between {self.min:g} and {self.max:g}")
        return self

    def measure_names(self) -> tuple[str, ...]:
        """The measure."""
        return (self.measure,)

    def drops(self) -> dict[str, pl.Expr]:
        """A pair that could not be measured has that reason alone."""
        value = pl.col(column_of(self.measure))
        reasons = {f"{self.measure}_unknown": value.is_null()}
        if self.min is not None:
            reasons[f"{self.measure}_too_low"] = value < self.min
        if self.max is not None:
            reasons[f"{self.measure}_too_high"] = value > self.max
        return reasons
