"""Under which licence a prompt may be used."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.filter import Filter, On


class Licence(Filter):
    """Keeps prompts under one of the listed licences."""

    on: ClassVar[On] = "prompts"

    allow: tuple[str, ...] = Field(min_length=1)
    """Licences that are kept, spelt as the source spells them."""
    allow_missing: bool = False
    """Whether to keep prompts whose source names no licence."""

    def drops(self) -> dict[str, pl.Expr]:
        """An unnamed licence is never taken for an allowed one unless `allow_missing`."""
        licence = pl.col("licence")
        reasons = {"licence_not_allowed": ~licence.is_in(list(self.allow))}
        if not self.allow_missing:
            reasons["licence_missing"] = licence.is_null()
        return reasons
