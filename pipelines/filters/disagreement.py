"""How much the judges of one response differ."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.filter import Filter, On
from pipelines.part import Threshold, micro
from schemas.canonical import MICRO


class Disagreement(Filter):
    """Drops responses on which judges, samples or annotators differ too much.

    Their variance v = sum (s - mean)^2 / n is over all scores that went into the response's score.
    It is compared in integers, n * sum s^2 - (sum s)^2 <= max * n^2, so that v = max is kept. With
    [score] combine = "zscore" or "majority" scores are taken in standard deviations, each judge's
    from its mean; otherwise the judges should be on one scale.
    """

    on: ClassVar[On] = "responses"

    max: Threshold = Field(ge=0)
    """Largest variance that is kept, in squared score units (or standard deviations)."""
    alone: bool = True
    """Whether a response with a single score, or none, is kept: nothing can differ there."""

    def drops(self) -> dict[str, pl.Expr]:
        """Fewer than two scores have no variance."""
        n, total = pl.col("n_ratings").cast(pl.Int128), pl.col("rating_sum").cast(pl.Int128)
        spread = n * pl.col("rating_sumsq") - total * total
        most = pl.lit(micro(self.max * MICRO), dtype=pl.Int128)
        reasons = {"judges_disagree": spread > most * n * n}
        return reasons if self.alone else reasons | {"too_few_scores": n.is_null()}
