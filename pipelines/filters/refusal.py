"""Responses in which the model declined to answer."""

from typing import ClassVar

import polars as pl

from pipelines.filter import Filter, On


class Refusal(Filter):
    """Drops refusals. Without it, a refusal may be rejected, and is chosen only if allowed."""

    on: ClassVar[On] = "responses"

    def drops(self) -> dict[str, pl.Expr]:
        """What counts as a refusal was decided when the response was drawn."""
        return {"refused": pl.col("refused")}
