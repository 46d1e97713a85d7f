"""Wrong answers over worse ones (Varying Shades of Wrong, arXiv 2410.11055)."""

from decimal import Decimal
from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.pairing import Paired, Pairing
from pipelines.part import Threshold, micro
from pipelines.scoring.rounding import mean_micro
from pipelines.selection.duels import READS, capped, duels, paired, scored_responses
from pipelines.selection.frames import Columns, Frames

MISSING = ("fewer_than_two_responses", "fewer_than_two_texts")
"""Reasons that say more than that too few of the responses are wrong."""


class ShadesOfWrong(Pairing):
    """Of the responses that a judge finds wrong, each over every one with a lower score.

    No right answer is in these pairs: they are for questions that the model never gets right. What
    the score is made of is said by [score], which should not count the judge that finds them wrong.
    """

    reads: ClassVar[Columns] = READS

    judge: str = "verifier"
    """The judge whose mean score says what is wrong."""
    wrong: Threshold = Decimal(0)
    """Wrong from this score of that judge down, in score units. What it gave no score is not wrong."""
    max_per_prompt: int | None = Field(default=None, ge=1)
    """At most so many pairs of one prompt, drawn by the seed. Default: all."""

    def judge_names(self) -> tuple[str, ...]:
        """The one that says what is wrong."""
        return (self.judge,)

    def thresholds_on_scale(self) -> tuple[Threshold, ...]:
        """The bound is a score."""
        return (self.wrong,)

    def pair(self, frames: Frames, seed: int) -> Paired:
        """The scores of a pair are those of [score]."""
        wrong = self._wrong(frames)
        scored = scored_responses(frames, self.choose_refusals)
        shades = scored.join(wrong, on="response", how="semi")
        pairs = capped(frames, duels(shades, shades), self.max_per_prompt, seed, self.name)
        found = paired(frames, shades, pairs)
        enough = wrong.group_by("prompt").len().filter(pl.col("len") > 1)["prompt"]
        few = ~pl.col("prompt").is_in(enough.implode()) & ~pl.col("reason").is_in(MISSING)
        reason = pl.when(few).then(pl.lit("fewer_than_two_wrong")).otherwise("reason")
        return Paired(found.pairs, found.unpaired_prompts.with_columns(reason=reason))

    def _wrong(self, frames: Frames) -> pl.DataFrame:
        """`prompt` and `response` of the wrong ones."""
        own = frames.judgments.filter(pl.col("judge") == self.judge)
        means = own.group_by("response").agg(mean=mean_micro("score"))
        wrong = means.filter(pl.col("mean") <= micro(self.wrong))
        return frames.responses.join(wrong, on="response").select("prompt", "response")
