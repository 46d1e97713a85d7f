"""Flip rate: how likely a pair's label is the wrong way round, as its readings have it."""

from dataclasses import replace
from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.measure import Measure
from pipelines.scoring import comparisons
from pipelines.selection import votes
from pipelines.selection.frames import Columns, Frames


class FlipRate(Measure):
    """The share of readings against the label, (a + 1/2) / (n + 1): more is harder.

    A reading is one look at both answers: a sample of a judge that scores (or ranks) them, or one
    order of one comparison by a judge that does not, counted by itself and not with the other order. n of them were made, a
    against the label, a tie counting 1/2. It is the mean of the posterior Beta(a + 1/2, n - a + 1/2)
    of the share. Its mean over a set is `label_smoothing` of robust DPO; one
    reading alone says little, 1/4 at best.
    """

    reads: ClassVar[Columns] = Columns(
        responses=frozenset(("response_id",)),
        judgments=votes.READS | comparisons.READS | {"judgment_id"},
    )

    judges: tuple[str, ...] = ()
    """Names of the judges whose readings count. Default: all, but for those of one dimension."""
    min_readings: int = Field(default=2, ge=1)
    """Fewest readings; with fewer a pair is not measured."""

    def judge_names(self) -> tuple[str, ...]:
        """Those whose readings count."""
        return self.judges

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A reading that could not be read is none."""
        read = votes.count_votes(pairs.select("pair_id", "chosen", "rejected"), self._apart(frames))
        n, lead = pl.col("n_votes"), pl.col("n_votes_chosen") - pl.col("n_votes_rejected")
        return read.filter(n >= self.min_readings).select(
            "pair_id", value=(n - lead + 1) / (2 * (n + 1)), n_obs=n
        )

    def _apart(self, frames: Frames) -> Frames:
        """The frames with each order of a comparison as a vote of its own."""
        judge, dimension = pl.col("judge"), pl.col("dimension")
        counts = judge.is_in(self.judges) if self.judges else dimension.is_null()
        apart = frames.judgments.filter(counts).with_columns(
            record_key="judgment_id", dimension=pl.lit(None, pl.String)
        )
        return replace(frames, judgments=apart, named=tuple(sorted(apart["judge"].unique())))
