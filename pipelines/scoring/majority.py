"""Majority: of every two responses the one that most judges prefer, and what that makes a score.

judges ─ opinions on (a, b) ─> the opinion that more of them hold than any other ─> Copeland score
"""

from collections.abc import Sequence

import polars as pl

from pipelines.scoring.voices import VERDICTS, Voice
from schemas.canonical import MICRO

PAIR = ["response_a", "response_b"]


def copeland(voices: Sequence[Voice], responses: pl.DataFrame, *, all_vote: bool) -> pl.DataFrame:
    """`response`, `value`: the share of others that it beats, a tie counting half (Copeland 1951).

    In micro-units, a double that is not rounded. Each judge has one vote on two responses to a
    prompt: for the one that it scores higher, or its verdict; equal scores are a vote for a tie.
    What more judges say than anything else is said: so 1 for, 1 against, 1 tie is a tie. With
    `all_vote` only what every judge voted on counts. The others are those that were voted on.
    """
    votes = pl.concat([_opinions(voice, responses) for voice in voices] or [_none()])
    opinion = pl.col("opinion")
    decided = votes.group_by(PAIR).agg(
        n=pl.len(),
        a=(opinion == 1).sum().cast(pl.Int64),
        b=(opinion == -1).sum().cast(pl.Int64),
        tie=(opinion == 0).sum().cast(pl.Int64),
    )
    decided = decided.filter(pl.col("n") >= (len(voices) if all_vote else 1)).with_columns(
        opinion=_of_most()
    )
    sides = [
        decided.select(response=side, half_wins=1 + sign * opinion)
        for side, sign in zip(PAIR, (1, -1), strict=True)
    ]
    value = pl.col("half_wins").sum() * MICRO / (2 * pl.len())
    return pl.concat(sides).group_by("response").agg(value=value)


def _of_most() -> pl.Expr:
    a, b, tie = pl.col("a"), pl.col("b"), pl.col("tie")
    for_a, for_b = (a > b) & (a > tie), (b > a) & (b > tie)
    return for_a.cast(pl.Int64) - for_b.cast(pl.Int64)


def _opinions(voice: Voice, responses: pl.DataFrame) -> pl.DataFrame:
    """`VERDICTS` of one judge, one row for each two responses that it saw, the lower number as a."""
    if voice.verdicts is not None:
        a, b = (pl.col(side) for side in PAIR)
        both = voice.verdicts.select(
            response_a=pl.min_horizontal(a, b),
            response_b=pl.max_horizontal(a, b),
            opinion=pl.when(a < b).then("opinion").otherwise(-pl.col("opinion")),
        )
        return both.group_by(PAIR).agg(pl.col("opinion").sum().sign())
    own = voice.scores.join(responses.select("response", "prompt"), on="response")
    one = own.select("prompt", response_a="response", value_a="value")
    other = own.select("prompt", response_b="response", value_b="value")
    return (
        one.join(other, on="prompt")
        .filter(pl.col("response_a") < pl.col("response_b"))
        .select(*PAIR, opinion=(pl.col("value_a") - pl.col("value_b")).sign().cast(pl.Int64))
    )


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=VERDICTS)
