"""Score: the judgments of a response become one number, or none.

    samples, comparisons of one judge ─> its voice ─> `combine` over judges ─> micro-units

What is combined is rounded once, half-even. A response without a score stays null: nothing stands
in for it.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import polars as pl
from pydantic import Field, model_validator

from pipelines.judging.tie_rule import TieRules
from pipelines.part import Real, Table
from pipelines.scoring.combine import combined, total
from pipelines.scoring.comparisons import NO_RULES
from pipelines.scoring.majority import copeland
from pipelines.scoring.rounding import mean_micro, rounded
from pipelines.scoring.voices import (
    Samples,
    Voice,
    comparing_voice,
    rating_voice,
    spread_of_ratings,
    standardised,
    without_lengths,
)
from schemas.canonical import MICRO

Combine = Literal["mean", "median", "min", "weighted", "log_sigmoid", "zscore", "majority", "first"]


class Adjusted(NamedTuple):
    """What judges say, made comparable."""

    voices: Sequence[Voice]
    """On the scales that are combined."""
    comparable: Sequence[Voice]
    """On one scale, so that their spread says something."""


class Score(Table):
    """How judgments are combined into the score of a response."""

    combine: Combine = "mean"
    """Over judges. "mean", "median" and "min" are for judges on one scale. "zscore": the mean, each
    judge's scores being taken in standard deviations from their mean over the whole build.
    "majority": of the other responses to the prompt, the share that it beats: of two, that one wins
    which more judges score higher (or, judging comparisons, prefer) than say anything else; a tie
    counts half. "first": the first of `judges` that scored two responses to the prompt speaks alone
    for all of them, as a cascade wants it. "weighted": sum of weight x score over the sum of
    weights. "log_sigmoid": sum of ln sigma(score - center), the log-probability that every judge
    finds the response good."""
    samples: Samples = "mean"
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
    control: Literal["length"] | None = None
    """"length": each judge's scores without what the length of the answers explains of them, so
    that a margin is no reward for mere length. For scores in fine steps: where many are equal, the
    shorter answer then wins. `pairwright judge report` shows what it would change."""

    @model_validator(mode="after")
    def _consistent(self) -> "Score":
        if bool(self.weights) != (self.combine == "weighted"):
            raise ValueError('`weights` and combine = "weighted" need each other')
        if self.combine != "log_sigmoid" and "center" in self.model_fields_set:
            raise ValueError('`center` is for combine = "log_sigmoid" only')
        if self.combine == "first" and (not self.judges or self.require == "all"):
            raise ValueError('"first" needs `judges`, in their order, and no `require`')
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


def score_responses(
    score: Score, responses: pl.DataFrame, judgments: pl.DataFrame, rules: TieRules = NO_RULES
) -> pl.DataFrame:
    """`responses` with `score` (Int64 micro-units, null: unscored), `n_scores` and the spread.

    `n_scores` counts the judgments that went in (of a judge of comparisons, the comparisons); the
    spread is `n_ratings`, `rating_sum` and `rating_sumsq` (`frames.RESPONSES`).
    """
    counting = who_counts(score, judgments.lazy().filter(pl.col("response").is_not_null()))
    voices = voices_of(score, counting, responses, judgments, rules)
    return with_scores(score, adjusted(score, voices, responses), responses)


def who_counts(score: Score, of_responses: pl.LazyFrame) -> dict[str, bool]:
    """The judges that count, in the order of their names, and whether each judges single responses.

    `of_responses` are all judgments of single responses.
    """
    whole = pl.col("dimension").is_null().any()
    rating = dict(of_responses.group_by("judge").agg(whole).collect().iter_rows())
    counting = set(score.judges) or {judge for judge, whole in rating.items() if whole}
    return {judge: judge in rating for judge in sorted(counting)}


def voices_of(
    score: Score,
    counting: Mapping[str, bool],
    responses: pl.DataFrame,
    judgments: pl.DataFrame,
    rules: TieRules,
) -> list[Voice]:
    """What the judges of `who_counts` say, one by one, of these `responses`."""
    voices = []
    for judge, rates in counting.items():
        said = judgments.filter(pl.col("judge") == judge)
        if rates:
            voices.append(rating_voice(judge, said, score.samples))
        else:
            voices.append(comparing_voice(judge, said, responses, rules))
    return voices


def wants_every_judge(score: Score) -> bool:
    """Whether what a judge said of other prompts alone changes the scores of one.

    It does where the judge is named: one that rates anywhere has no voice by what it compared.
    """
    named = bool(score.judges) or score.require == "all" or score.combine == "log_sigmoid"
    return named or looks_across(score)


def looks_across(score: Score) -> bool:
    """Whether what a judge said of other prompts changes the score, or its spread."""
    return score.control is not None or score.combine in ("zscore", "majority")


def adjusted(score: Score, voices: Sequence[Voice], responses: pl.DataFrame) -> Adjusted:
    """The voices of all responses, on the scales that they are combined and compared on."""
    if score.control == "length":
        voices = [without_lengths(voice, responses) for voice in voices]
    if score.combine == "zscore":
        voices = [standardised(voice) for voice in voices]
    # of judges on scales of their own only deviations can be compared
    own_scales = score.combine == "majority"
    return Adjusted(voices, list(map(standardised, voices)) if own_scales else voices)


def with_scores(score: Score, said: Adjusted, responses: pl.DataFrame) -> pl.DataFrame:
    """As `score_responses`, from what was `said` of these `responses`."""
    wide = responses.select("response", "prompt")
    values = [f"value {number}" for number in range(len(said.voices))]
    counts = [f"n {number}" for number in range(len(said.voices))]
    for voice, value, count in zip(said.voices, values, counts, strict=True):
        own = voice.scores.rename({"value": value, "n": count})
        wide = wide.join(own, on="response", how="left", maintain_order="left")
    if score.combine == "majority":
        won = copeland(said.voices, responses, all_vote=score.require == "all")
        wide = wide.join(won, on="response", how="left", maintain_order="left")
        one = pl.col("value")
    else:
        judges = [voice.judge for voice in said.voices]
        one = combined(score, dict(zip(judges, map(pl.col, values), strict=True)))
    scored = wide.with_columns(
        score=rounded(one),
        n_scores=total(pl.col(count).fill_null(0) for count in counts).cast(pl.Int64),
    )
    spread = spread_of_ratings(said.comparable, responses)
    return responses.with_columns(scored["score"], scored["n_scores"], *spread)


def score_var() -> pl.Expr:
    """The population variance of the scores of a response, in units: the exact spread, divided once."""
    n, sum_ = pl.col("n_ratings").cast(pl.Int128), pl.col("rating_sum").cast(pl.Int128)
    spread, scale = n * pl.col("rating_sumsq") - sum_ * sum_, (n * MICRO) * (n * MICRO)
    return spread.cast(pl.Float64) / scale.cast(pl.Float64)


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


def _sums(column: str, count: str, prefix: str) -> dict[str, pl.Expr]:
    values, n = pl.col(column), pl.col(column).count().cast(pl.Int64)
    return {
        count: n,
        f"{prefix}_sum": pl.when(n > 0).then(values.sum()),
        f"{prefix}_sumsq": pl.when(n > 0).then((values.cast(pl.Int128) * values).sum()),
    }
