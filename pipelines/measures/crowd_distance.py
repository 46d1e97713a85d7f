"""Crowd distance: how far apart two answers lie in the opinion of many (DPRM, arXiv 2402.09764)."""

from itertools import pairwise
from typing import ClassVar

import polars as pl
from pydantic import Field, field_validator

from pipelines.measure import Measure
from pipelines.part import Real, Threshold, micro
from pipelines.selection.frames import Columns, Frames


class CrowdDistance(Measure):
    """How far the opinions of a crowd on one answer must move to become those on the other.

    Of each answer, the share of the crowd at each level is Dirichlet's posterior mean, (prior + votes
    at the level) / (levels x prior + votes). The distance is Wasserstein's: the sum over neighbouring
    levels of |F_chosen - F_rejected| x the step between them, F being the share up to the lower one.
    It is at least the difference of the means, and larger where the crowds are divided.
    """

    reads: ClassVar[Columns] = Columns(judgments=frozenset(("judge", "response_id", "score")))

    judge: str
    """Name of the judge whose scores (of all annotators and samples) are the votes."""
    levels: tuple[Threshold, ...] = Field(min_length=2)
    """The levels that there are, from the lowest up, in score units; a score between two counts at the
    nearer one, in the middle at the lower."""
    prior: Real = Field(default=1.0, ge=0)
    """Votes that each level has before anybody voted: 1 for even odds, 0 for the votes alone."""

    @field_validator("levels")
    @classmethod
    def _ascending(cls, levels: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
        if any(lower >= upper for lower, upper in pairwise(levels)):
            raise ValueError("from the lowest up, each once")
        return levels

    def judge_names(self) -> tuple[str, ...]:
        """The one whose scores are the votes."""
        return (self.judge,)

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """In score units. A pair of which one answer has no vote is not measured."""
        crowds = self._crowds(frames.judgments)
        sided = pairs.select("pair_id", "chosen", "rejected")
        for side in ("chosen", "rejected"):
            own = crowds.select(pl.all().name.suffix(f"_{side}"))
            sided = sided.join(own, left_on=side, right_on=f"response_{side}")
        apart = [
            (pl.col(f"up_to_{place}_chosen") - pl.col(f"up_to_{place}_rejected")).abs()
            * float(upper - lower)
            for place, (lower, upper) in enumerate(pairwise(self.levels))
        ]
        n_obs = pl.col("n_chosen") + pl.col("n_rejected")
        return sided.select("pair_id", value=pl.sum_horizontal(apart), n_obs=n_obs.cast(pl.Int64))

    def _crowds(self, judgments: pl.DataFrame) -> pl.DataFrame:
        """`response`, `n` votes on it, and the share up to each level but the last."""
        votes = judgments.filter(
            pl.col("judge") == self.judge,
            pl.col("response").is_not_null(),
            pl.col("score").is_not_null(),
        )
        up_to = {
            f"up_to_{place}": (
                (2 * pl.col("score") <= micro(lower) + micro(upper)).sum()
                + self.prior * (place + 1)
            )
            / (pl.len() + self.prior * len(self.levels))
            for place, (lower, upper) in enumerate(pairwise(self.levels))
        }
        return votes.group_by("response").agg(n=pl.len(), **up_to)
