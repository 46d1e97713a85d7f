"""Voices: what each judge says of each response, as one number from its samples or comparisons.

Sums over samples are of integers, hence exact, and neither the order of rows nor the number of
threads changes a bit of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal

import polars as pl

from pipelines.bias.length_control import without_length
from pipelines.judging.tie_rule import TieRules
from pipelines.scoring.comparisons import consolidate
from pipelines.scoring.rounding import rounded
from schemas.canonical import MICRO

Samples = Literal["mean", "median", "min", "max"]

RATINGS = {"response": pl.UInt32, "rating": pl.Int64}
NO_RATINGS = pl.DataFrame(schema=RATINGS)
SPREAD = {"n_ratings": pl.Int64, "rating_sum": pl.Int64, "rating_sumsq": pl.Int128}
VERDICTS = {"response_a": pl.UInt32, "response_b": pl.UInt32, "opinion": pl.Int64}


@dataclass(frozen=True, slots=True)
class Voice:
    """One judge."""

    judge: str
    scores: pl.DataFrame
    """`response`, `value`: its score in micro-units, a double that is not rounded; `n`: the samples,
    or comparisons, that went in. A judge of comparisons has win rates, (wins + ties/2) / n."""
    ratings: pl.DataFrame
    """`response`, `rating`: each readable score, in micro-units; no rows of a judge of comparisons."""
    verdicts: pl.DataFrame | None = None
    """Of a judge of comparisons: `response_a`, `response_b`, `opinion` (1: a, -1: b, 0: a tie)."""


def rating_voice(judge: str, said: pl.DataFrame, samples: Samples) -> Voice:
    """The voice of a judge of single responses. A recorded rank counts as the score -rank."""
    rated = said.select("response", rating=pl.coalesce("score", -MICRO * pl.col("rank")))
    rated, rating = rated.drop_nulls(), pl.col("rating")
    over_samples = {
        "mean": rating.sum() / rating.count(),
        "median": rating.median(),
        "min": rating.min(),
        "max": rating.max(),
    }
    value = over_samples[samples].cast(pl.Float64)
    scores = rated.group_by("response").agg(value=value, n=pl.len())
    return Voice(judge, scores, rated)


def comparing_voice(
    judge: str, said: pl.DataFrame, responses: pl.DataFrame, rules: TieRules
) -> Voice:
    """The voice of a judge of comparisons, from those that could be read."""
    decided = consolidate(said, [judge], rules).filter(pl.col("verdict").is_not_null())
    opinion = pl.col("verdict").replace_strict({"a": 1, "b": -1, "tie": 0}, return_dtype=pl.Int64)
    verdicts = decided.select("response_a_id", "response_b_id", opinion=opinion)
    numbers = responses.select("response", "response_id")
    for side in ("a", "b"):
        own = numbers.rename({"response": f"response_{side}", "response_id": f"response_{side}_id"})
        verdicts = verdicts.join(own, on=f"response_{side}_id", how="left")
    sides = [
        verdicts.select(response=f"response_{side}", half_wins=1 + sign * pl.col("opinion"))
        for side, sign in (("a", 1), ("b", -1))
    ]
    half_wins, half_games = pl.col("half_wins").sum(), 2 * pl.len()
    scores = (
        pl.concat(sides)
        .drop_nulls("response")
        .group_by("response")
        .agg(value=half_wins * MICRO / half_games, n=pl.len())
    )
    return Voice(judge, scores, NO_RATINGS, verdicts.select(*VERDICTS).drop_nulls())


def together(parts: Sequence[Voice]) -> Voice:
    """One judge's voice from what it says of different responses."""
    first = parts[0]
    scores, ratings = (
        pl.concat(getattr(part, name) for part in parts) for name in ("scores", "ratings")
    )
    verdicts = [part.verdicts for part in parts if part.verdicts is not None]
    return Voice(first.judge, scores, ratings, pl.concat(verdicts) if verdicts else None)


def within(voice: Voice, responses: pl.DataFrame) -> Voice:
    """What a voice says of `responses`, which are all between two numbers."""
    low, high = responses["response"].min(), responses["response"].max()

    def theirs(rows: pl.DataFrame, key: str = "response") -> pl.DataFrame:
        return rows.filter(pl.col(key).is_between(low, high))

    verdicts = voice.verdicts
    return Voice(
        voice.judge,
        theirs(voice.scores),
        theirs(voice.ratings),
        None if verdicts is None else theirs(verdicts, "response_a"),
    )


def without_lengths(voice: Voice, responses: pl.DataFrame) -> Voice:
    """The voice less what the length of responses explains of its scores."""
    return replace(voice, scores=without_length(voice.scores, responses))


def standardised(voice: Voice) -> Voice:
    """The voice in standard deviations from its mean, over all responses that it scored.

    z = (value - mean) / sd, of values rounded to micro-units, whose sums are exact; sd is that of a
    population. A judge who gave everything the same score has no z, and becomes silent.
    """
    value = rounded(pl.col("value")).cast(pl.Int128)
    sums = voice.scores.select(pl.len(), total=value.sum(), squares=(value * value).sum())
    n, total, squares = map(int, sums.row(0))
    spread = n * squares - total**2
    if not spread:
        return replace(voice, scores=voice.scores.clear(), ratings=voice.ratings.clear())
    mean, sd = total / n, sqrt(spread) / n
    return replace(
        voice,
        scores=voice.scores.with_columns(value=(pl.col("value") - mean) / sd * MICRO),
        ratings=voice.ratings.with_columns(rounded((pl.col("rating") - mean) / sd * MICRO)),
    )


def spread_of_ratings(voices: Iterable[Voice], responses: pl.DataFrame) -> pl.DataFrame:
    """`n_ratings`, `rating_sum`, `rating_sumsq` of each of `responses`, in their order, all voices.

    Nulls where it has fewer than two ratings: nothing can differ then.
    """
    rated = [voice for voice in voices if voice.ratings.height]
    if all(voice.ratings.height == voice.scores.height for voice in rated) and len(rated) < 2:
        nothing = {name: pl.lit(None, kind) for name, kind in SPREAD.items()}
        return responses.with_columns(**nothing).select(*SPREAD)
    ratings = pl.concat([voice.ratings for voice in rated])
    rating = pl.col("rating")
    sums = ratings.group_by("response").agg(
        n_ratings=pl.len().cast(pl.Int64),
        rating_sum=rating.sum(),
        rating_sumsq=(rating.cast(pl.Int128) * rating).sum(),
    )
    several = sums.filter(pl.col("n_ratings") > 1)
    ours = responses.select("response")
    return ours.join(several, on="response", how="left", maintain_order="left").select(*SPREAD)
