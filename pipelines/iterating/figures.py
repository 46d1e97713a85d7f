"""How good the policy of a round was: the mean score of its responses, from its version's tables.

    own answers ─ [score], or one judge ─> a prompt's mean ─> all prompts; those of the held-out split

No call is made: each build has the policy answer the prompts of every split, and only the pairs of
one split are trained on. Prompts are drawn by groups for the intervals, since those of one group are
alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.agreement.bootstrap import Interval, bootstrap
from pipelines.publishing.own_answers import own_answers
from pipelines.publishing.versions import Version

SEED = 0


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over prompts, and its 95 % interval; None where one prompt tells nothing of it."""

    value: float
    interval: Interval | None
    prompts: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What the policy of a round scored, in units of the score."""

    every: Mean | None
    """On the prompts of all splits. None: none of its responses has a score."""
    held_out: Mean | None
    """On those of the held-out split."""


def scores(version: Version, policy: Sequence[str], judge: str | None) -> pl.DataFrame:
    """`prompt_id`, `group`, `split` and `score` of each prompt that the policy has a score on.

    `score` is the mean over the policy's own answers, as `own_answers` has them: by [score], or by
    `judge` alone. Answers that were dropped before they were judged have none.
    """
    answers = own_answers(version)
    if answers is None:
        answers = _table(version, "responses")
    responses = answers.filter(pl.col("model").is_in(policy))
    if judge is not None:
        responses = responses.drop("score").join(_by_judge(version, judge), on="response_id")
    prompts = _table(version, "prompts").select(
        "prompt_id", pl.coalesce("group_id", "prompt_id").alias("group"), "split"
    )
    means = responses.group_by("prompt_id").agg(pl.col("score").mean()).drop_nulls("score")
    return means.join(prompts, on="prompt_id").sort("prompt_id").collect()


def figures(scored: pl.DataFrame, held_out: str) -> Figures:
    """The figures of a round from its `scores`."""
    return Figures(_mean(scored), _mean(scored.filter(split=held_out)))


def rise(before: pl.DataFrame, after: pl.DataFrame, held_out: str) -> Mean | None:
    """How much more the held-out prompts scored `after`, prompt by prompt; None: none is in both."""
    both = after.join(before.select("prompt_id", score_before="score"), on="prompt_id")
    return _mean(both.with_columns(score=pl.col("score") - pl.col("score_before")), held_out)


def _mean(scored: pl.DataFrame, split: str | None = None) -> Mean | None:
    rows = scored if split is None else scored.filter(split=split)
    if not rows.height:
        return None
    values, groups = rows["score"].to_numpy(), rows["group"].to_list()
    interval = bootstrap(values, lambda drawn: float(drawn.mean()), SEED, groups=groups)
    return Mean(float(values.mean()), interval, rows.height)


def _by_judge(version: Version, judge: str) -> pl.LazyFrame:
    """`response_id`, `score` by one judge, its samples and annotators together."""
    own = _table(version, "judgments").filter(
        pl.col("judge") == judge, pl.col("dimension").is_null(), pl.col("response_id").is_not_null()
    )
    return own.group_by("response_id").agg(pl.col("score").mean())


def _table(version: Version, name: str) -> pl.LazyFrame:
    return pl.scan_parquet(version.files(name), glob=False)
