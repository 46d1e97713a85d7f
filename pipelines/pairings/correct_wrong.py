"""Right answers over wrong ones, as a verifier (or recorded correctness) says."""

from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

import polars as pl
from pydantic import Field, model_validator

from pipelines.pairing import Paired, Pairing
from pipelines.part import Threshold, micro
from pipelines.scoring.rounding import mean_micro
from pipelines.selection.duels import READS, capped, duels, paired, scored_responses
from pipelines.selection.frames import Columns, Frames


class CorrectWrong(Pairing):
    """Every correct response over every wrong one of its prompt."""

    reads: ClassVar[Columns] = READS

    judge: str | None = None
    """The judge whose mean score says what is correct. Default: the score of `[score]`."""
    correct: Threshold = Decimal(1)
    """Correct from this score up, in score units."""
    wrong: Threshold = Decimal(0)
    """Wrong from this score down, in score units. What lies between is not paired."""
    max_per_prompt: int | None = Field(default=None, ge=1)
    """At most so many pairs of one prompt, drawn by the seed. Default: all."""

    @model_validator(mode="after")
    def _correct_above_wrong(self) -> "CorrectWrong":
        if micro(self.correct) <= micro(self.wrong):
            raise ValueError("`correct` must be above `wrong`")
        return self

    def judge_names(self) -> tuple[str, ...]:
        """The one that says what is correct."""
        return () if self.judge is None else (self.judge,)

    def thresholds_on_scale(self) -> tuple[Threshold, ...]:
        """Both bounds are scores."""
        return self.correct, self.wrong

    def pair(self, frames: Frames, seed: int) -> Paired:
        """The scores of a pair are those that say what is correct."""
        frames = frames if self.judge is None else _scored_by(frames, self.judge)
        scored = scored_responses(frames, self.choose_refusals)
        correct = scored.filter(pl.col("score") >= micro(self.correct))
        wrong = scored.filter(pl.col("score") <= micro(self.wrong))
        every = duels(correct, wrong)
        pairs = capped(frames, every, self.max_per_prompt, seed, self.name)
        return paired(frames, scored, pairs, self._reasons())

    def _reasons(self) -> dict[str, pl.Expr]:
        correct = pl.lit(micro(self.correct))
        return {
            "none_correct": pl.col("highest") < correct,
            "none_wrong": pl.col("lowest") > micro(self.wrong),
            "chosen_refused": (pl.col("highest_choosable") < correct).fill_null(True),
        }


def _scored_by(frames: Frames, judge: str) -> Frames:
    """`frames` with one judge's mean as the score of each response."""
    own = frames.judgments.filter(pl.col("judge") == judge)
    means = own.group_by("response").agg(score=mean_micro("score"))
    responses = frames.responses.drop("score").join(means, on="response", how="left")
    return replace(frames, responses=responses)
