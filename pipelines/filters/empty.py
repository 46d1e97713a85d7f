"""Responses that say nothing."""

from typing import ClassVar

import polars as pl

from pipelines.filter import Filter, On


class Empty(Filter):
    """Drops responses without text, before a judge is paid for them.

    They are never paired in any case. A response that consists of tool calls has no text either.
    """

    on: ClassVar[On] = "responses"

    def drops(self) -> dict[str, pl.Expr]:
        """`failed`: the endpoint refused the request; `empty`: the text is missing or blank."""
        return {
            "failed": pl.col("failed"),
            "empty": ~pl.col("has_text") & ~pl.col("failed"),
        }
