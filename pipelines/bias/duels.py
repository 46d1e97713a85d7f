"""Duels: every two answers to one prompt, as one judge sees them.

A judge of single answers decides a duel by its two scores, a judge of comparisons by its votes.
So both are measured by the same figures.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from pipelines.scoring.comparisons import consolidate
from schemas.canonical import MICRO

NEXT = 15
"""Of more answers to one prompt than one more than this, each is set against so many that follow
in the order of their ids, which are hashes: the work stays in proportion to the answers."""

LEAST = 1e-6
"""The margin of a decided duel whose votes are even in the mean."""

SCHEMA: dict[str, Any] = {"prompt": pl.UInt32, "a": pl.UInt32, "b": pl.UInt32, "margin": pl.Float64,
          "comparison": pl.UInt32}  # fmt: skip


def ratings(said: pl.DataFrame) -> pl.DataFrame:
    """`prompt`, `response`, `value`: a judge's score of each answer, the mean of its samples.

    In score units; a rank counts as the score -rank.
    """
    value = pl.coalesce("score", -MICRO * pl.col("rank"))
    rated = said.filter(pl.col("response").is_not_null() & value.is_not_null())
    return (
        rated.group_by("prompt", "response")
        .agg(value=value.sum() / pl.len() / MICRO)
        .sort("prompt", "response")
    )


def duels(said: pl.DataFrame) -> pl.DataFrame:
    """`prompt`, `a`, `b` and `margin`: above 0 where `a` is better, 0 for a tie.

    The margin is the difference of scores; without scores that of the probabilities that the one
    and the other is better, a verdict being 1, 0 or -1. Votes whose orders disagree are ties,
    whatever the recipe makes of them. `comparison` is null for a duel of two single scores.
    """
    parts = [pl.DataFrame(schema=SCHEMA), _of_ratings(ratings(said)), _of_comparisons(said)]
    return pl.concat(parts)


def sorted_duels(duels: pl.DataFrame) -> pl.DataFrame:
    """The same duels with `a` < `b`, whichever answer a comparison names first."""
    margin = pl.when(pl.col("a") > pl.col("b")).then(-pl.col("margin")).otherwise("margin")
    return duels.with_columns(
        a=pl.min_horizontal("a", "b"), b=pl.max_horizontal("a", "b"), margin=margin
    )


def of_different_texts(duels: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    """The duels of two texts; `texts` has each answer's hash, by its number, null for none.

    That two answers of one text are a tie says nothing about the judge.
    """
    hashes = texts.rank("dense")
    return duels.filter((hashes.gather(duels["a"]) != hashes.gather(duels["b"])).fill_null(True))


def _of_ratings(rated: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([pl.DataFrame(schema=SCHEMA), *_neighbours(rated)])


def _neighbours(rated: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Every answer with the next one of its prompt, with the next but one..."""
    prompt, response = rated["prompt"].to_numpy(), rated["response"].to_numpy()
    value = rated["value"].to_numpy()
    for step in range(1, NEXT + 1):
        first = np.flatnonzero(prompt[step:] == prompt[:-step])
        if not len(first):
            return
        second = first + step
        yield pl.DataFrame(
            {
                "prompt": prompt[first],
                "a": response[first],
                "b": response[second],
                "margin": value[first] - value[second],
                "comparison": None,
            },
            schema=SCHEMA,
        )


def _of_comparisons(said: pl.DataFrame) -> pl.DataFrame:
    ours = said.filter(pl.col("comparison_id").is_not_null())
    numbers = ours.select("comparison_id", "comparison", "prompt", "a", "b").unique("comparison")
    verdict = pl.col("verdict").replace_strict({"a": 1, "b": -1, "tie": 0}, return_dtype=pl.Int8)
    apart = (2 * pl.col("p_a") / MICRO - 1).abs().clip(LEAST)
    scores = (pl.col("score_a") - pl.col("score_b")) / MICRO
    decided = consolidate(ours, ours["judge"].unique().to_list()).drop_nulls("verdict")
    margins = decided.select("comparison_id", margin=pl.coalesce(scores, verdict * apart))
    return (
        margins.join(numbers, on="comparison_id")
        .drop_nulls(["a", "b"])
        .select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
        .sort("comparison")
    )
