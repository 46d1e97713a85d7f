"""What each group of people prefers, whatever the others say: pairs of its own for each group.

    judgments ─ by judge, annotator or task ─> what a group says of two answers ─> its pairs

Two groups that want the opposite give two pairs with the sides changed, each with its group in
`pairs.annotator_group`. Within a group pairs on one prompt never contradict each other: where its
preferences run in a circle (A over B, B over C, C over A), none of that circle is a pair.
"""

from typing import ClassVar, Literal

import polars as pl

from pipelines.pairing import Paired, Pairing
from pipelines.scoring import comparisons
from pipelines.selection import votes
from pipelines.selection.circles import on_a_circle
from pipelines.selection.duels import against_worst, best, duels, first_reason, scored_responses
from pipelines.selection.frames import MAY_BE_LEFT_OUT, PAIRED, Columns, Frames
from pipelines.selection.group_votes import (
    GROUP,
    By,
    compared_by_groups,
    count_group_votes,
    in_groups,
    rated_by_groups,
)

COLUMNS = [name for name in PAIRED if name == GROUP or name not in MAY_BE_LEFT_OUT]

SIDES = ("_chosen", "_rejected")


class AnnotatorGroups(Pairing):
    """The better answer by the votes of each group of annotators, as a pair of that group."""

    reads: ClassVar[Columns] = Columns(
        prompts=frozenset(("task",)),
        responses=frozenset(("has_text", "text_hash", "refused")),
        judgments=comparisons.READS | votes.READS,
    )

    by: By = "judge"
    """What is a group. "judge": each judge, with all its annotators and samples: the column
    `judged_by` of recorded judgments, or a model that judges for a persona. "annotator": each
    annotator, whichever judge the judgments stand under; those of nobody are left out. "task": those who
    are asked for in the `task` of the prompt, where prompts are crossed with personas."""
    judges: tuple[str, ...] = ()
    """The judges whose judgments count. Default: all, but for single dimensions."""
    rated: Literal["best_worst", "all"] = "best_worst"
    """What is paired where a group rates answers one by one, by the mean of its ratings: the best
    over the worst, or each over every lower one. What it compared is paired as it was compared."""

    def judge_names(self) -> tuple[str, ...]:
        """Those whose judgments count."""
        return self.judges

    def pair(self, frames: Frames, seed: int) -> Paired:
        """At most one pair for each two answers and group, by all votes of that group."""
        named = pl.col("judge").is_in(self.judges) if self.judges else pl.col("dimension").is_null()
        said = in_groups(frames.judgments.filter(named), frames.prompts, self.by)
        rating = said.filter(pl.col("response").is_not_null())
        decided = self._compared(votes.unrated(said), frames)  # one ranks by comparing
        pairs = pl.concat([_pairs(decided), self._rated(rating, frames)])
        circular = _circular(pairs, frames)
        undecided = _undecided(decided, pairs.filter(circular))
        pairs = pairs.filter(~circular)
        return Paired(pairs, _unpaired(frames, said, pairs), undecided)

    def _compared(self, said: pl.DataFrame, frames: Frames) -> pl.DataFrame:
        """What groups said of two answers, from the winner's side, and `reason`: null for a pair."""
        return _with_sides(compared_by_groups(said, frames.tie_rules), frames).with_columns(
            reason=self._reason()
        )

    def _reason(self) -> pl.Expr:
        undecided = pl.col("opinion").fill_null(0) == 0
        return first_reason(
            {
                "no_group": pl.col(GROUP).is_null(),
                "inconsistent": undecided & (pl.col("n_inconsistent") > 0),
                "unread": pl.col("opinion").is_null(),
                "tie": undecided,
                "response_missing": pl.any_horizontal(
                    pl.col(f"has_text{side}").is_null() for side in SIDES
                ),
                "no_text": ~pl.all_horizontal(pl.col(f"has_text{side}") for side in SIDES),
                "identical_texts": pl.col("text_hash_chosen") == pl.col("text_hash_rejected"),
                "chosen_refused": pl.col("refused_chosen") & (not self.choose_refusals),
            }
        )

    def _rated(self, said: pl.DataFrame, frames: Frames) -> pl.DataFrame:
        """The pairs of groups that rate; each group on a prompt stands for a prompt of its own."""
        scores = rated_by_groups(said)
        cells = scores.select("prompt", GROUP).unique().with_row_index("cell")
        known = frames.responses.select("response", "has_text", "text_hash", "refused")
        own = scores.join(cells, on=["prompt", GROUP]).drop("prompt").rename({"cell": "prompt"})
        of_groups = Frames(cells, own.join(known, on="response"), said)
        scored = scored_responses(of_groups, self.choose_refusals)
        if self.rated == "all":
            pairs = duels(scored, scored)
        else:
            pairs = against_worst(duels(best(scored), scored))
        pairs = pairs.rename({"prompt": "cell"}).join(cells, on="cell")
        counted = count_group_votes(pairs, said)
        no_comparison = counted.with_columns(comparison_id=pl.lit(None, dtype=pl.String))
        return no_comparison.select(COLUMNS)


def _with_sides(compared: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    """`compared` from the side of the winner, `a` where there is none, with facts on both answers."""
    b_won = pl.col("opinion").eq_missing(-1)

    def sided(a: str, b: str, name: str) -> list[pl.Expr]:
        return [
            pl.when(b_won).then(b).otherwise(a).alias(f"{name}_chosen"),
            pl.when(b_won).then(a).otherwise(b).alias(f"{name}_rejected"),
        ]

    with_sides = compared.with_columns(
        *sided("response_a_id", "response_b_id", "id"),
        *sided("score_a", "score_b", "score"),
        *sided("n_votes_a", "n_votes_b", "n_votes"),
        comparison_id=pl.when(pl.col("comparison_ids").list.len() == 1).then(
            pl.col("comparison_ids").list.first()
        ),
    )
    known = frames.responses.select(
        "has_text", "text_hash", "refused", id="response_id", number="response"
    )
    for side in SIDES:
        own = known.select(pl.all().name.suffix(side)).rename({f"number{side}": side[1:]})
        with_sides = with_sides.join(own, on=f"id{side}", how="left")
    return with_sides.join(frames.prompts.select("prompt", "prompt_id"), on="prompt_id", how="left")


def _pairs(decided: pl.DataFrame) -> pl.DataFrame:
    return decided.filter(pl.col("reason").is_null()).select(COLUMNS)


def _circular(pairs: pl.DataFrame, frames: Frames) -> pl.Series:
    """Whether a pair contradicts others of its group and prompt; equal texts are one answer."""
    texts = frames.responses.select("response", "text_hash")
    sided = pairs.select("prompt", GROUP, "chosen", "rejected")
    for side, end in (("chosen", "winner"), ("rejected", "loser")):
        own = texts.rename({"response": side, "text_hash": end})
        sided = sided.join(own, on=side, how="left", maintain_order="left")
    return on_a_circle(sided.select("winner", "loser", within=pl.struct("prompt", GROUP)))


def _undecided(decided: pl.DataFrame, circular: pl.DataFrame) -> pl.DataFrame:
    """Why comparisons gave no pair: each reason of each of them, whichever group it was of."""
    same = ["prompt", GROUP, "chosen", "rejected"]
    in_circles = decided.join(circular.select(same), on=same, how="semi")
    reasons = pl.concat(
        [
            decided.filter(pl.col("reason").is_not_null()),
            in_circles.with_columns(reason=pl.lit("circular")),
        ]
    )
    each = reasons.explode("comparison_ids").select("prompt", "reason", id="comparison_ids")
    return each.unique().rename({"id": "comparison_id"})


def _unpaired(frames: Frames, said: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    prompts = frames.prompts.select("prompt").join(pairs, on="prompt", how="anti")
    judged = pl.col("prompt").is_in(said["prompt"].unique().implode())
    undecided = pl.when(judged).then(pl.lit("no_group_decided")).otherwise(pl.lit("not_judged"))
    return prompts.with_columns(reason=undecided)
