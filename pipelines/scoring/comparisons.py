"""Comparisons: all votes on two responses become one row that says which is better.

    judgment (one order) ─> vote (judge, annotator, sample; both orders) ─> comparison (all votes)

In between, an opinion is the probability that `a` is better: that of the order, or 1, 1/2 and 0 for
a verdict. What it means that the orders of a vote disagree, or that one is unread, is the rule of
its judge (`judging.tie_rule`). One order that could not be read never becomes an opinion.
"""

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from pipelines.judging.tie_rule import PLAIN, TieRule, TieRules
from pipelines.scoring.rounding import mean_micro, rounded
from schemas.canonical import MICRO

VOTE = ("comparison_id", "judge", "annotator", "sample_index", "record_key")
"""Judgments that agree on these are the orders of one vote."""

OF_ALL_VOTES = ("prompt_id", "response_a_id", "response_b_id")

READS = frozenset((*VOTE, *OF_ALL_VOTES, "dimension", "score_a", "score_b", "verdict", "p_a"))
"""The columns of judgments that are read here."""

NO_RULES: TieRules = {}


def consolidate(
    judgments: pl.DataFrame, judges: Collection[str] = (), rules: TieRules = NO_RULES
) -> pl.DataFrame:
    """One row per comparison, sorted by id, from the votes of `judges`; when empty, of all.

    A judge of one dimension (`frames.JUDGMENTS`) votes only where it is named. Columns:

    - `comparison_id`, `prompt_id`, `response_a_id`, `response_b_id`;
    - counts of votes: `n_votes` = `n_votes_a` + `n_votes_b` + `n_ties`, and beside them
      `n_unread`; `n_inconsistent`: ties that two orders make which disagree, and votes that a rule
      drops because they do;
    - `score_a`, `score_b`: means over the votes whose orders agree, micro-units, null without
      scores; `p_a`: the probability that `a` is better, micro-units, a mean over votes;
    - `verdict`: "a", "b", "tie", or null without a vote. Scores decide where there are any, else
      the opinion that more votes hold than any other; without such an opinion it is a tie.
    """
    votes = votes_on_comparisons(judgments, judges, rules)
    opinion, dropped = pl.col("opinion"), pl.col("dropped")
    return (
        votes.group_by("comparison_id")
        .agg(
            pl.col(OF_ALL_VOTES).min(),
            n_votes=_count(opinion.is_not_null()),
            n_votes_a=_count(opinion == 1),
            n_votes_b=_count(opinion == -1),
            n_ties=_count(opinion == 0),
            n_unread=_count(opinion.is_null() & ~dropped),
            n_inconsistent=_count(pl.col("inconsistent")),
            score_a=mean_micro("score_a"),
            score_b=mean_micro("score_b"),
            p_a=mean_micro("p_a"),
        )
        .with_columns(verdict=_verdict())
        .sort("comparison_id")
    )


def votes_on_comparisons(
    judgments: pl.DataFrame, judges: Collection[str] = (), rules: TieRules = NO_RULES
) -> pl.DataFrame:
    """One row per vote, columns `VOTE` and `OF_ALL_VOTES`, and what it says.

    `opinion`: 1 for `a`, -1 for `b`, 0 for a tie, null where it was not read or a rule drops it;
    `inconsistent`, `dropped`, `score_a`, `score_b`, `p_a` as in `consolidate`.
    """
    named = pl.col("judge").is_in(list(judges)) if judges else pl.col("dimension").is_null()
    orders = judgments.filter(pl.col("comparison_id").is_not_null() & named)
    return _votes(orders.with_columns(**_ruled(rules), said=_said(), p=_probability()))


def _ruled(rules: TieRules) -> dict[str, pl.Expr]:
    """The rule of each judgment's judge, as columns."""

    def of_judge(name: str, kind: Any) -> pl.Expr:
        own: Mapping[str, Any] = {judge: getattr(rule, name) for judge, rule in rules.items()}
        plain = pl.lit(getattr(PLAIN, name), kind)
        if not own:
            return plain
        return pl.col("judge").replace_strict(own, default=plain, return_dtype=kind)

    kinds: dict[str, Any] = {"inconsistent": pl.String, "band": pl.Int64, "unread": pl.String}
    assert kinds.keys() == set(TieRule.__slots__)
    return {f"rule_{name}": of_judge(name, kind) for name, kind in kinds.items()}


def _said() -> pl.Expr:
    """1, -1 or 0: what one order says outright, by its scores, else by its verdict."""
    verdict = pl.col("verdict").replace_strict({"a": 1, "b": -1, "tie": 0}, default=None)
    by_scores = (pl.col("score_a") - pl.col("score_b")).sign()
    return pl.coalesce(by_scores, verdict).cast(pl.Int64)


def _probability() -> pl.Expr:
    """Micro-units: that of what is said outright, else the order's own; null where unread."""
    return pl.coalesce((_said() + 1) * (MICRO // 2), rounded(pl.col("p_a") * MICRO))


def _votes(orders: pl.DataFrame) -> pl.DataFrame:
    """One row per vote: `opinion`, `p_a`, `inconsistent`, `dropped`, `score_a`, `score_b`."""
    counts = pl.col("all_read") | (pl.col("any_read") & pl.col("rule_unread").eq("ignore"))
    split = counts & pl.col("split")
    usual = pl.when("outright").then(pl.lit("tie")).otherwise(pl.lit("average"))
    rule = pl.coalesce("rule_inconsistent", usual)
    even = pl.col("leans_on_average").eq(0)
    votes = _of_all_orders(orders).with_columns(
        counts=counts,
        tied=split & rule.eq("tie"),
        dropped=split & rule.eq("drop"),
        evened=split & rule.eq("average") & pl.col("outright") & even,
    )
    tied, speaks = pl.col("tied"), pl.col("counts") & ~pl.col("dropped")
    votes = votes.with_columns(
        opinion=pl.when(speaks).then(pl.when(tied).then(0).otherwise("leans_on_average")),
        p_a=pl.when(speaks).then(pl.when(tied).then(MICRO // 2).otherwise("p_a")),
        inconsistent=pl.any_horizontal("tied", "dropped", "evened"),
    )
    has_scores = pl.col("all_read") & pl.col("all_scored") & ~pl.col("inconsistent")
    return votes.with_columns(
        pl.col("opinion").cast(pl.Int64), pl.when(has_scores).then(pl.col("score_a", "score_b"))
    )


def _of_all_orders(orders: pl.DataFrame) -> pl.DataFrame:
    """One row per vote: what its orders say one by one, and on average."""
    scored = pl.col("score_a").is_not_null() & pl.col("score_b").is_not_null()
    p, n, band = pl.col("p"), pl.col("p").count(), pl.col("rule_band").first()
    leaning = orders.with_columns(leans=_sign(2 * p - MICRO, 2 * pl.col("rule_band")))
    return leaning.group_by(VOTE).agg(
        pl.col(OF_ALL_VOTES).min(),
        pl.col("rule_inconsistent", "rule_unread").first(),
        all_read=p.is_not_null().all(),
        any_read=p.is_not_null().any(),
        all_scored=scored.all(),
        outright=pl.col("said").is_not_null().any(),
        split=pl.col("leans").min() != pl.col("leans").max(),
        # the mean against 1/2, without a division
        leans_on_average=_sign(2 * p.sum() - MICRO * n, 2 * band * n),
        p_a=mean_micro("p"),
        score_a=mean_micro("score_a"),
        score_b=mean_micro("score_b"),
    )


def _sign(value: pl.Expr, band: pl.Expr) -> pl.Expr:
    """The sign of `value`, 0 also where it is at most `band` away from 0."""
    return pl.when(value.abs() <= band).then(0).otherwise(value.sign())


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
