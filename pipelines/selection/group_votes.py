"""Votes of groups: what each group of annotators says of two responses, and what it scores one.

A group is a judge, whose annotators and samples are its members; or each annotator is one; or all
who judged the answers to prompts of one task.
"""

from typing import Literal

import polars as pl

from pipelines.judging.tie_rule import TieRules
from pipelines.scoring.comparisons import votes_on_comparisons
from pipelines.scoring.rounding import mean_micro
from pipelines.selection.votes import VOTER
from schemas.canonical import MICRO

By = Literal["judge", "annotator", "task"]

GROUP = "annotator_group"
OF_GROUP = ("prompt_id", GROUP, "response_a_id", "response_b_id")
"""Votes that agree on these are those of a group on two responses."""


def in_groups(judgments: pl.DataFrame, prompts: pl.DataFrame, by: By) -> pl.DataFrame:
    """`judgments` with the column `annotator_group`: null where it is nobody's, as a blank name is."""
    named = pl.when(pl.col(by).str.strip_chars() != "").then(by).alias(GROUP)
    if by == "task":
        of_prompts = prompts.select("prompt", named)
        return judgments.join(of_prompts, on="prompt", how="left", maintain_order="left")
    return judgments.with_columns(named)


def compared_by_groups(judgments: pl.DataFrame, rules: TieRules) -> pl.DataFrame:
    """One row for each two responses that a group compared, whichever was `a`.

    Who compared them several times has one vote: by the means of the scores, else by what was said
    more often.

    `prompt_id`, `annotator_group`, `response_a_id` < `response_b_id`; `comparison_ids` of all
    votes; `n_votes`, `n_votes_a`, `n_votes_b`, `n_inconsistent`, `score_a`, `score_b` as
    `comparisons.consolidate` has them; and `opinion`: 1 for `a`, -1 for `b`, 0 for a tie, null
    without a vote. Mean scores decide where there are any, else what more votes say than anything
    else.
    """
    opinion = pl.col("opinion")
    return (
        _of_voters(_turned_votes(judgments, rules))
        .group_by(OF_GROUP)
        .agg(
            pl.col("comparison_ids").explode().unique().sort(),
            n_votes=_count(opinion.is_not_null()),
            n_votes_a=_count(opinion == 1),
            n_votes_b=_count(opinion == -1),
            n_inconsistent=_count(pl.col("inconsistent")),
            score_a=mean_micro("score_a"),
            score_b=mean_micro("score_b"),
        )
        .with_columns(opinion=_opinion())
    )


def _turned_votes(judgments: pl.DataFrame, rules: TieRules) -> pl.DataFrame:
    """One row per vote, with its group and with `response_a_id` < `response_b_id`."""
    judges = judgments["judge"].unique().to_list()
    voters = judgments.select("comparison_id", "judge", "annotator", GROUP).unique()
    votes = votes_on_comparisons(judgments, judges, rules).join(
        voters, on=["comparison_id", "judge", "annotator"], nulls_equal=True
    )
    turned = pl.col("response_a_id") > pl.col("response_b_id")
    opinion = pl.col("opinion")
    return votes.with_columns(
        *_turned(turned, "response_a_id", "response_b_id"),
        *_turned(turned, "score_a", "score_b"),
        pl.when(turned).then(-opinion).otherwise(opinion),
    )


def _of_voters(votes: pl.DataFrame) -> pl.DataFrame:
    """One row for each voter of a group; of nobody in particular, each vote is another voter's."""
    nobody = pl.when(pl.col("annotator").is_null()).then(pl.struct("comparison_id", "record_key"))
    opinion, said = pl.col("opinion"), pl.col("opinion").sum().sign()
    of_voters = votes.group_by(*OF_GROUP, *VOTER, nobody=nobody).agg(
        comparison_ids=pl.col("comparison_id"),
        said=pl.when(opinion.count() > 0).then(said),
        inconsistent=pl.col("inconsistent").any(),
        score_a=mean_micro("score_a"),
        score_b=mean_micro("score_b"),
    )
    by_scores = (pl.col("score_a") - pl.col("score_b")).sign()
    return of_voters.with_columns(opinion=pl.coalesce(by_scores, "said"))


def rated_by_groups(judgments: pl.DataFrame) -> pl.DataFrame:
    """`prompt`, `annotator_group`, `response`, `score`: the mean of all ratings, in micro-units.

    A recorded rank counts as the score -rank.
    """
    rated = _ratings(judgments)
    return rated.group_by("prompt", GROUP, "response").agg(score=mean_micro("rating"))


def count_group_votes(pairs: pl.DataFrame, judgments: pl.DataFrame) -> pl.DataFrame:
    """`pairs` with `n_votes`, `n_votes_chosen`, `n_votes_rejected`, in the same order.

    As `votes.count_votes`, of the members of the pair's own group who rated both responses.
    """
    rated = _ratings(judgments).group_by("response", GROUP, *VOTER)
    opinions = rated.agg(total=pl.col("rating").sum(), n=pl.len().cast(pl.Int64))
    sides = pairs.select("chosen", "rejected", GROUP).with_row_index("pair")
    both = sides.join(opinions, left_on=["chosen", GROUP], right_on=["response", GROUP]).join(
        opinions,
        left_on=["rejected", GROUP, *VOTER],
        right_on=["response", GROUP, *VOTER],
        nulls_equal=True,
        suffix="_rejected",
    )
    # means compared by their products, as in `votes`
    chosen, rejected = (
        pl.col("total") * pl.col("n_rejected"),
        pl.col("total_rejected") * pl.col("n"),
    )
    votes = both.group_by("pair").agg(
        n_votes=pl.len().cast(pl.Int64),
        n_votes_chosen=_count(chosen > rejected),
        n_votes_rejected=_count(chosen < rejected),
    )
    counts = sides.select("pair").join(votes, on="pair", how="left", maintain_order="left")
    return pl.concat([pairs, counts.drop("pair").fill_null(0)], how="horizontal")


def _ratings(judgments: pl.DataFrame) -> pl.DataFrame:
    """The ratings that are some group's."""
    rated = judgments.with_columns(rating=pl.coalesce("score", -MICRO * pl.col("rank")))
    return rated.drop_nulls(["response", GROUP, "rating"])


def _turned(turned: pl.Expr, a: str, b: str) -> tuple[pl.Expr, pl.Expr]:
    """Two columns, which change places where `turned`."""
    return (
        pl.when(turned).then(b).otherwise(a).alias(a),
        pl.when(turned).then(a).otherwise(b).alias(b),
    )


def _opinion() -> pl.Expr:
    a, b = pl.col("n_votes_a"), pl.col("n_votes_b")
    ties = pl.col("n_votes") - a - b
    said = ((a > b) & (a > ties)).cast(pl.Int64) - ((b > a) & (b > ties)).cast(pl.Int64)
    by_votes = pl.when(pl.col("n_votes") > 0).then(said)
    return pl.coalesce((pl.col("score_a") - pl.col("score_b")).sign(), by_votes)


def _count(condition: pl.Expr) -> pl.Expr:
    return condition.sum().cast(pl.Int64)
