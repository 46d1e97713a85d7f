"""One pair per comparison, from that comparison's own scores or verdict."""

from decimal import Decimal
from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.pairing import Paired, Pairing
from pipelines.part import Threshold, micro
from pipelines.scoring.comparisons import READS, consolidate
from pipelines.selection.duels import first_reason
from pipelines.selection.frames import MAY_BE_LEFT_OUT, PAIRED, Columns, Frames
from schemas.canonical import MICRO

SIDES = ("_chosen", "_rejected")


class Compared(Pairing):
    """The better response of each comparison over the other."""

    reads: ClassVar[Columns] = Columns(
        responses=frozenset(("has_text", "text_hash", "refused")), judgments=READS
    )

    judges: tuple[str, ...] = ()
    """The judges whose votes count. Default: all that compare. How the orders of a vote that disagree
    count is said by its judge."""
    min_p: Threshold | None = Field(default=None, ge=Decimal("0.5"), le=1)
    """Least probability, in [0.5, 1], that the chosen response is the better one; a comparison that
    is less sure gives no pair. It is the mean over votes of the mean over their orders, in which a
    verdict counts 1, 1/2 or 0. Default: the verdict is enough."""

    def judge_names(self) -> tuple[str, ...]:
        """Those whose votes count."""
        return self.judges

    def pair(self, frames: Frames, seed: int) -> Paired:
        """A comparison of two that were judged several times gives one pair, by all its votes."""
        comparisons = _with_sides(
            consolidate(frames.judgments, self.judges, frames.tie_rules), frames
        )
        comparisons = comparisons.with_columns(reason=self._reason())
        pairs = comparisons.filter(pl.col("reason").is_null()).select(
            pl.col(name) for name in PAIRED if name not in MAY_BE_LEFT_OUT
        )
        prompts = frames.prompts.select("prompt").join(pairs, on="prompt", how="anti")
        compared = pl.col("prompt").is_in(comparisons["prompt"].unique().implode())
        return Paired(
            pairs=pairs,
            unpaired_prompts=prompts.with_columns(
                reason=pl.when(compared)
                .then(pl.lit("no_comparison_paired"))
                .otherwise(pl.lit("not_compared"))
            ),
            unpaired_comparisons=comparisons.filter(pl.col("reason").is_not_null()).select(
                "comparison_id", "prompt", "reason"
            ),
        )

    def _reason(self) -> pl.Expr:
        """Why a comparison gives no pair, null where it gives one."""
        tie, unsaid = pl.col("verdict") == "tie", pl.col("verdict").is_null()
        reasons = {
            "inconsistent": (tie | unsaid) & (pl.col("n_inconsistent") > 0),
            "unread": unsaid,
            "tie": tie,
            "unsure": pl.col("p_chosen_better") < micro(self.min_p or Decimal(0)),
            "response_missing": pl.any_horizontal(
                pl.col(f"has_text{side}").is_null() for side in SIDES
            ),
            "no_text": ~pl.all_horizontal(pl.col(f"has_text{side}") for side in SIDES),
            "identical_texts": pl.col("text_hash_chosen") == pl.col("text_hash_rejected"),
            "chosen_refused": pl.col("refused_chosen") & (not self.choose_refusals),
        }
        return first_reason(reasons)


def _with_sides(comparisons: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    """`comparisons` with the columns `frames.PAIRED`, and what is known of both responses.

    Without a winner the sides mean nothing, and `a` stands for the chosen.
    """
    b_won = pl.col("verdict").eq_missing(pl.lit("b"))

    def sided(a: str, b: str, chosen: str, rejected: str) -> list[pl.Expr]:
        return [
            pl.when(b_won).then(b).otherwise(a).alias(chosen),
            pl.when(b_won).then(a).otherwise(b).alias(rejected),
        ]

    with_sides = comparisons.with_columns(
        *sided("response_a_id", "response_b_id", "id_chosen", "id_rejected"),
        *sided("score_a", "score_b", "score_chosen", "score_rejected"),
        *sided("n_votes_a", "n_votes_b", "n_votes_chosen", "n_votes_rejected"),
        p_chosen_better=pl.when(b_won).then(MICRO - pl.col("p_a")).otherwise("p_a"),
    )
    known = frames.responses.select(
        "has_text", "text_hash", "refused", id="response_id", number="response"
    )
    for side in SIDES:
        own = known.select(pl.all().name.suffix(side)).rename({f"number{side}": side[1:]})
        with_sides = with_sides.join(own, on=f"id{side}", how="left")
    return with_sides.join(frames.prompts.select("prompt", "prompt_id"), on="prompt_id", how="left")
