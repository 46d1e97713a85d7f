"""Reward margin: how far one judge sets the two answers apart, in its scores or as a probability."""

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from pipelines.measure import Measure
from pipelines.part import Real
from pipelines.selection.frames import Columns, Frames
from pipelines.selection.measured import scores_of
from schemas.canonical import MICRO


class RewardMargin(Measure):
    """r(chosen) - r(rejected) by one judge, or sigma(r(chosen) - r(rejected)): less is harder.

    The judge need not be one that decided which answer is chosen: with another one the margin may
    be negative, or the probability below 1/2, and a `band` keeps what both agree on.
    """

    reads: ClassVar[Columns] = Columns(judgments=frozenset(("judge", "score", "rank")))

    judge: str
    """Name of a judge of single responses: a reward model, a rating, a likelihood."""
    unit: Literal["score", "probability"] = "score"
    """"score": the difference itself. "probability": that of Bradley and Terry, for scores that are
    logits, as those of reward models are."""
    temperature: Real = Field(default=1.0, gt=0)
    """What the difference is divided by before it becomes a probability, in score units."""

    def judge_names(self) -> tuple[str, ...]:
        """The judge."""
        return (self.judge,)

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A pair of which the judge has not scored both answers is not measured."""
        scores = scores_of(frames, self.judge).select("response", "value", "n")
        difference = (pl.col("value") - pl.col("value_rejected")) / MICRO
        odds = 1 / (1 + (-difference / self.temperature).exp())
        return (
            pairs.select("pair_id", "chosen", "rejected")
            .join(scores.rename({"response": "chosen"}), on="chosen")
            .join(scores.rename({"response": "rejected"}), on="rejected", suffix="_rejected")
            .select(
                "pair_id",
                value=difference if self.unit == "score" else odds,
                n_obs=pl.min_horizontal("n", "n_rejected").cast(pl.Int64),
            )
        )
