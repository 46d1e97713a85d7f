"""Comparisons: all votes on two responses become one row that says which is better.

    judgment (one order) ─> vote (judge, annotator, sample; both orders) ─> comparison (all votes)

In between, an opinion is a number: 1 for `a`, -1 for `b`, 0 for a tie, null for unread. Both
orders of a vote must agree; where they do not, the vote is a tie and counts as inconsistent
(methods: FastChat's rule; DOVE). An order that could not be read makes its vote unread.
"""

from collections.abc import Collection

import polars as pl

from pipelines.selection.rounding import mean_micro, rounded
from schemas.canonical import MICRO

VOTE = ("comparison_id", "judge", "annotator", "sample_index", "record_key")
"""Judgments that agree on these are the orders of one vote."""

OF_ALL_VOTES = ("prompt_id", "response_a_id", "response_b_id")

READS = frozenset((*VOTE, *OF_ALL_VOTES, "score_a", "score_b", "verdict", "p_a"))
"""The columns of judgments that are read here."""


def consolidate(judgments: pl.DataFrame, judges: Collection[str] = ()) -> pl.DataFrame:
    """One row per comparison, sorted by id, from the votes of `judges` (all, when empty).

    Columns: `comparison_id`, `prompt_id`, `response_a_id`, `response_b_id`; counts of votes
    `n_votes` = `n_votes_a` + `n_votes_b` + `n_ties`, of which `n_inconsistent` ties, and beside
    them `n_unread`; `score_a`, `score_b`: means over the votes whose orders agree, micro-units,
    null without scores; `verdict`: "a", "b", "tie", or null when no vote could be read.

    Scores decide the verdict where there are any, else the opinion that more votes hold than any
    other; without such an opinion it is a tie.
    """
    named = pl.col("judge").is_in(list(judges)) if judges else pl.lit(True)
    orders = judgments.filter(pl.col("comparison_id").is_not_null() & named)
    votes = _votes(orders.with_columns(said=_said(), p=rounded(pl.col("p_a") * MICRO)))
    opinion = pl.col("opinion")
    return (
        votes.group_by("comparison_id")
        .agg(
            pl.col(OF_ALL_VOTES).min(),
            n_votes=_count(opinion.is_not_null()),
            n_votes_a=_count(opinion == 1),
            n_votes_b=_count(opinion == -1),
            n_ties=_count(opinion == 0),
            n_unread=_count(opinion.is_null()),
            n_inconsistent=_count(pl.col("inconsistent")),
            score_a=mean_micro("score_a"),
            score_b=mean_micro("score_b"),
        )
        .with_columns(verdict=_verdict())
        .sort("comparison_id")
    )


def _said() -> pl.Expr:
    """What one order says outright: its scores, else its verdict. A probability comes later."""
    verdict = pl.col("verdict").replace_strict({"a": 1, "b": -1, "tie": 0}, default=None)
    by_scores = (pl.col("score_a") - pl.col("score_b")).sign()
    return pl.coalesce(by_scores, verdict).cast(pl.Int64)


def _votes(orders: pl.DataFrame) -> pl.DataFrame:
    """One row per vote: `opinion`, `inconsistent`, `score_a`, `score_b`."""
    scored = pl.col("score_a").is_not_null() & pl.col("score_b").is_not_null()
    read = pl.coalesce("said", (2 * pl.col("p") - MICRO).sign())
    votes = orders.with_columns(read=read).group_by(VOTE).agg(
        pl.col(OF_ALL_VOTES).min(),
        all_read=pl.col("read").is_not_null().all(),
        all_scored=scored.all(),
        by_probability=pl.col("said").is_null().all(),
        mean_p=(2 * pl.col("p").sum() - MICRO * pl.col("p").count()).sign(),
        lowest=pl.col("read").min(),
        highest=pl.col("read").max(),
        score_a=mean_micro("score_a"),
        score_b=mean_micro("score_b"),
    )  # fmt: skip
    split = pl.col("lowest") != pl.col("highest")
    votes = votes.with_columns(
        inconsistent=pl.col("all_read") & ~pl.col("by_probability") & split,
    )
    opinion = (
        pl.when("by_probability").then("mean_p").when("inconsistent").then(0).otherwise("lowest")
    )
    has_scores = pl.col("all_read") & pl.col("all_scored") & ~pl.col("inconsistent")
    return votes.with_columns(
        pl.when(has_scores).then(pl.col("score_a", "score_b")),
        opinion=pl.when("all_read").then(opinion),
    )


def _verdict() -> pl.Expr:
    a, b, ties = pl.col("n_votes_a"), pl.col("n_votes_b"), pl.col("n_ties")
    majority = (
        pl.when(pl.col("n_votes") == 0)
        .then(None)
        .when((a > b) & (a > ties))
        .then(1)
        .when((b > a) & (b > ties))
        .then(-1)
        .otherwise(0)
    )
    opinion = pl.coalesce((pl.col("score_a") - pl.col("score_b")).sign(), majority)
    return opinion.replace_strict({1: "a", -1: "b", 0: "tie"}, default=None, return_dtype=pl.String)


def _count(condition: pl.Expr) -> pl.Expr:
    return condition.sum().cast(pl.Int64)
