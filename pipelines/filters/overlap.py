"""How many words the two texts of a pair share."""

from decimal import Decimal
from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.filter import Filter, On
from pipelines.part import Threshold, micro
from schemas.canonical import MICRO


class Overlap(Filter):
    """Drops pairs that hardly differ: iTool (arXiv 2501.09766) keeps an overlap of up to 0.95.

    |A n B| / min(|A|, |B|) over the distinct words between white space. Of steps, what both have
    in common as the accepted prefix does not count. A text without words overlaps with none.
    """

    on: ClassVar[On] = "pairs"

    max: Threshold = Field(default=Decimal("0.95"), ge=0, le=1)
    """Largest overlap that is kept, in [0, 1]."""

    def drops(self) -> dict[str, pl.Expr]:
        """Shared words against the fewer words, as integers, hence exactly."""
        chosen, rejected = (_words(f"{side}_text") for side in ("chosen", "rejected"))
        shared = chosen.list.set_intersection(rejected).list.len().cast(pl.Int64)
        fewer = pl.min_horizontal(chosen.list.len(), rejected.list.len()).cast(pl.Int64)
        return {"overlap_too_high": shared * MICRO > micro(self.max) * fewer}


def _words(text: str) -> pl.Expr:
    own = pl.col(text).fill_null("").str.slice(pl.col("n_chars_prefix").fill_null(0))
    return own.str.extract_all(r"\S+").list.unique()
