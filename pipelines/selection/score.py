"""Score: the judgments of a response become one number, or none.

    samples of one judge ─> that judge's score ─> `combine` over judges ─> micro-units

Sums over samples are of integers, hence exact. Over judges the arithmetic is in double precision,
column by column in the order of the judges' names, so neither the order of rows nor the number of
threads changes a bit; the result is rounded once, half-even. A response without a score stays
null: nothing stands in for it.
"""

from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Literal

import polars as pl
from pydantic import Field, model_validator

from pipelines.part import Real, Table
from pipelines.selection.comparisons import consolidate
from pipelines.selection.rounding import mean_micro, rounded
from schemas.canonical import MICRO


class Score(Table):
    """How judgments are combined into the score of a response."""

    combine: Literal["mean", "median", "min", "weighted", "log_sigmoid"] = "mean"
    """Over judges. "weighted": sum of weight x score over the sum of weights. "log_sigmoid": sum
    of ln sigma(score - center), the log-probability that every judge finds the response good."""
    samples: Literal["mean", "median", "min", "max"] = "mean"
    """Over the samples and annotators of one judge."""
    judges: tuple[str, ...] = ()
    """The judges that count. Default: all that judge single responses. A judge of comparisons
    counts only if it is named; its score is the win rate, (wins + ties/2) / comparisons. So does
    one dimension of a judge, named JUDGE.DIMENSION."""
    weights: dict[str, Real] = Field(default_factory=dict)
    """Judge -> weight, for combine = "weighted". A negative one needs require = "all"."""
    require: Literal["any", "all"] = "any"
    """"all": a response that some judge did not score is unscored. "log_sigmoid" always does."""
    center: dict[str, Real] | Real = 0.0
    """For "log_sigmoid": the score that counts as neutral, one number or one for each judge."""

    @model_validator(mode="after")
    def _consistent(self) -> "Score":
        if bool(self.weights) != (self.combine == "weighted"):
            raise ValueError('`weights` and combine = "weighted" need each other')
        if self.combine != "log_sigmoid" and "center" in self.model_fields_set:
            raise ValueError('`center` is for combine = "log_sigmoid" only')
        per_judge = self.center if isinstance(self.center, dict) else self.weights
        if per_judge and not self.judges:
            object.__setattr__(self, "judges", tuple(sorted(per_judge)))
        if per_judge and set(per_judge) != set(self.judges):
            raise ValueError("one number is needed for each of `judges`: " + ", ".join(self.judges))
        if self.weights and sum(self.weights.values()) <= 0:
            raise ValueError("the sum of `weights` must be above 0")
        if self.require == "any" and any(weight < 0 for weight in self.weights.values()):
            raise ValueError('a negative weight needs require = "all"')
        return self


def score_responses(score: Score, responses: pl.DataFrame, judgments: pl.DataFrame) -> pl.DataFrame:
    """`responses` with `score` (Int64 micro-units, null: unscored) and `n_scores`.

    `n_scores` counts the judgments that went in (for a win rate, the comparisons). A recorded
    rank counts as the score -rank.
    """
    of_responses = judgments.filter(pl.col("response").is_not_null())
    rating = set(of_responses["judge"].unique())
    whole = set(of_responses.filter(pl.col("dimension").is_null())["judge"].unique())
    judges = sorted(set(score.judges) or whole)
    wide = responses.select("response")
    values = [f"value {number}" for number in range(len(judges))]
    counts = [f"n {number}" for number in range(len(judges))]
    for judge, value, count in zip(judges, values, counts, strict=True):
        said = judgments.filter(pl.col("judge") == judge)
        own = _ratings(said, score.samples) if judge in rating else _win_rates(said, responses)
        own = own.rename({"value": value, "n": count})
        wide = wide.join(own, on="response", how="left", maintain_order="left")
    scored = wide.with_columns(
        score=rounded(_combined(score, dict(zip(judges, map(pl.col, values), strict=True)))),
        n_scores=_total(pl.col(count).fill_null(0) for count in counts).cast(pl.Int64),
    )
    return responses.with_columns(scored["score"], scored["n_scores"])


def prompt_scores(prompts: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """`prompts` with what filters know of the scores of their responses (see `frames.PROMPTS`).

    Sums are null where nothing is scored. A model's mean score is rounded half-even. Without the
    column `model` in `responses` nothing is known of models.
    """
    summaries = [
        responses.group_by("prompt").agg(
            n_responses=pl.len().cast(pl.Int64), **_sums("score", "n_scored", "score")
        )
    ]
    if "model" in responses.columns:
        scored = responses.filter(pl.col("score").is_not_null())
        of_models = scored.group_by("prompt", "model").agg(mean=mean_micro("score"))
        summaries.append(
            of_models.group_by("prompt").agg(**_sums("mean", "n_models_scored", "model_score"))
        )
    added = [name for summary in summaries for name in summary.columns if name != "prompt"]
    with_scores = prompts.drop(added, strict=False)
    for summary in summaries:
        with_scores = with_scores.join(summary, on="prompt", how="left", maintain_order="left")
    counts = [name for name in added if name.startswith("n_")]
    return with_scores.with_columns(pl.col(counts).fill_null(0))


def _ratings(said: pl.DataFrame, samples: str) -> pl.DataFrame:
    """`response`, `value` (one judge's score in micro-units, a double), `n` samples."""
    rated = said.select("response", rating=pl.coalesce("score", -MICRO * pl.col("rank")))
    rating = pl.col("rating")
    over_samples = {
        "mean": rating.sum() / rating.count(),
        "median": rating.median(),
        "min": rating.min(),
        "max": rating.max(),
    }
    return (
        rated.drop_nulls()
        .group_by("response")
        .agg(value=over_samples[samples].cast(pl.Float64), n=pl.len())
    )


def _win_rates(said: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """As `_ratings`: (wins + ties/2) / comparisons, over one judge's readable comparisons."""
    decided = consolidate(said).filter(pl.col("verdict").is_not_null())
    sides = [
        decided.select(
            pl.col(f"response_{side}_id").alias("response_id"),
            half_wins=(pl.col("verdict") == side) * 2 + (pl.col("verdict") == "tie"),
        )
        for side in ("a", "b")
    ]
    half_wins, half_games = pl.col("half_wins").sum().cast(pl.Int64), 2 * pl.len()
    return (
        pl.concat(sides)
        .join(responses.select("response", "response_id"), on="response_id")
        .group_by("response")
        .agg(value=half_wins * MICRO / half_games, n=pl.len())
    )


def _combined(score: Score, values: dict[str, pl.Expr]) -> pl.Expr:
    """The score in micro-units, before rounding, from the scores of each judge."""
    columns = list(values.values()) or [pl.lit(None, dtype=pl.Float64)]
    present = _total(value.is_not_null() for value in columns)
    needs_all = score.require == "all" or score.combine == "log_sigmoid"
    enough = present >= (len(columns) if needs_all else 1)
    if score.combine == "mean":
        combined = _total(value.fill_null(0.0) for value in columns) / present
    elif score.combine == "median":
        combined = pl.concat_list(columns).list.drop_nulls().list.median()
    elif score.combine == "min":
        combined = pl.min_horizontal(columns)
    elif score.combine == "weighted":
        shares = [(score.weights[judge], value) for judge, value in values.items()]
        weighed = _total(weight * value.fill_null(0.0) for weight, value in shares)
        combined = weighed / _total(weight * value.is_not_null() for weight, value in shares)
    else:
        combined = _total(
            _log_sigmoid(value, _center(score, judge)) for judge, value in values.items()
        )
    return pl.when(enough).then(combined.cast(pl.Float64))


def _center(score: Score, judge: str) -> float:
    return score.center[judge] if isinstance(score.center, dict) else score.center


def _log_sigmoid(value: pl.Expr, center: float) -> pl.Expr:
    """The natural log of sigma(value - center), in micro-units, in a form that cannot overflow."""
    z = value / MICRO - center
    return (pl.min_horizontal(z, 0.0) - (-z.abs()).exp().log1p()) * MICRO


def _total(terms: Iterable[pl.Expr]) -> pl.Expr:
    """The sum from left to right: a fixed order, which `sum_horizontal` does not promise."""
    return reduce(add, terms, pl.lit(0))


def _sums(column: str, count: str, prefix: str) -> dict[str, pl.Expr]:
    values, n = pl.col(column), pl.col(column).count().cast(pl.Int64)
    return {
        count: n,
        f"{prefix}_sum": pl.when(n > 0).then(values.sum()),
        f"{prefix}_sumsq": pl.when(n > 0).then((values.cast(pl.Int128) * values).sum()),
    }
