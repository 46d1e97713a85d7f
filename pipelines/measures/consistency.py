"""Consistency: how alike two judges, or two iterations of one, rank a prompt's answers."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.measure import Measure
from pipelines.selection.frames import Columns, Frames
from pipelines.selection.measured import scores_of


class Consistency(Measure):
    """C = (tau + 1) / 2 in [0, 1], tau Kendall's tau-b of two rankings: less is harder.

    CREAM (arXiv 2410.12735) ranks by a model and by the one before it, and trains with
    C l(Delta) + (1 - C) l(-Delta): C is a soft label. Over the pairs of answers that both judges
    scored,

        tau-b = (concordant - discordant) / sqrt(untied by one * untied by the other)

    which ordinal ranks would hide ties from.
    """

    reads: ClassVar[Columns] = Columns(judgments=frozenset(("judge", "score", "rank")))

    judge: str
    """Name of a judge of single responses: a likelihood under the model, say."""
    other: str
    """Name of another: the likelihood under the model of the iteration before."""
    min_responses: int = Field(default=2, ge=2)
    """Fewest answers that both scored; with fewer the prompt's pairs are not measured."""

    def judge_names(self) -> tuple[str, ...]:
        """The two that are compared."""
        return (self.judge, self.other)

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """The same for all pairs of a prompt; none where a judge finds all answers equally good."""
        both = (
            frames.responses.select("prompt", "response")
            .join(scores_of(frames, self.judge).select("response", one="value"), on="response")
            .join(scores_of(frames, self.other).select("response", other="value"), on="response")
        )
        taus = kendall_tau(both).filter(pl.col("n") >= self.min_responses)
        return (
            pairs.select("pair_id", "prompt")
            .join(taus, on="prompt")
            .select("pair_id", value=(pl.col("tau") + 1) / 2, n_obs="n")
        )


def kendall_tau(ranked: pl.DataFrame) -> pl.DataFrame:
    """`prompt`, `tau` (Kendall's tau-b, in [-1, 1]), `n` answers, of two scores of each answer.

    `ranked` has the columns `prompt`, `response`, `one` and `other`. Prompts without a tau are left
    out: those with fewer than two answers, or with one score that never differs.
    """
    beside = ranked.join(ranked, on="prompt", suffix="_b").filter(
        pl.col("response") < pl.col("response_b")
    )
    one = (pl.col("one") - pl.col("one_b")).sign()
    other = (pl.col("other") - pl.col("other_b")).sign()
    untied = one.abs().sum() * other.abs().sum()
    taus = beside.group_by("prompt").agg(agreed=(one * other).sum(), untied=untied)
    counts = ranked.group_by("prompt").agg(n=pl.len().cast(pl.Int64))
    return (
        taus.filter(pl.col("untied") > 0)
        .join(counts, on="prompt")
        .select("prompt", tau=pl.col("agreed") / pl.col("untied").sqrt(), n="n")
    )
