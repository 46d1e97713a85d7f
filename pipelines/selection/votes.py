"""Votes: for how many judges (annotators, samples) the chosen response is the better one."""

import polars as pl

from schemas.canonical import MICRO

VOTER = ("judge", "annotator", "sample_index")
"""Judgments of two responses that agree on these are one voter's opinion of the pair."""

READS = frozenset((*VOTER, "dimension", "score", "rank"))
"""The columns of judgments that are read here."""


def count_votes(pairs: pl.DataFrame, judgments: pl.DataFrame) -> pl.DataFrame:
    """`pairs` with `n_votes`, `n_votes_chosen`, `n_votes_rejected`, in the same order.

    A vote is a voter who scored (or ranked) both responses; equal scores are a tie, which counts
    in `n_votes` alone. Where a voter scored a response several times, the mean speaks.
    """
    opinions = _opinions(judgments)
    sides = pairs.select("chosen", "rejected").with_row_index("pair")
    both = sides.join(opinions, left_on="chosen", right_on="response", how="inner").join(
        opinions,
        left_on=["rejected", "voter"],
        right_on=["response", "voter"],
        how="inner",
        suffix="_rejected",
    )
    # means compared by their products: sum / n > sum' / n' without a division
    chosen = pl.col("total") * pl.col("n_rejected")
    rejected = pl.col("total_rejected") * pl.col("n")
    votes = both.group_by("pair").agg(
        n_votes=pl.len().cast(pl.Int64),
        n_votes_chosen=(chosen > rejected).sum().cast(pl.Int64),
        n_votes_rejected=(chosen < rejected).sum().cast(pl.Int64),
    )
    counts = sides.select("pair").join(votes, on="pair", how="left", maintain_order="left")
    return pl.concat([pairs, counts.drop("pair").fill_null(0)], how="horizontal")


def _opinions(judgments: pl.DataFrame) -> pl.DataFrame:
    """`response`, `voter` (a number), `total` and `n` of the voter's scores."""
    of_whole_responses = judgments.filter(pl.col("dimension").is_null())
    scored = of_whole_responses.select(
        "response", *VOTER, score=pl.coalesce("score", -MICRO * pl.col("rank"))
    ).drop_nulls(["response", "score"])
    voters = scored.select(VOTER).unique().with_row_index("voter")
    if voters.height == 1:
        voted = scored.with_columns(voter=voters["voter"].first())
    else:
        voted = scored.join(voters, on=VOTER, how="inner", nulls_equal=True)
    return voted.group_by("response", "voter").agg(
        total=pl.col("score").sum(), n=pl.len().cast(pl.Int64)
    )
