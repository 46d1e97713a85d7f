"""Duels: two responses to one prompt of which one scores higher. Pairings choose among them.

scored_responses ─> duels(winners, losers) ─> a pairing's choice ─> paired
"""

import numpy as np
import polars as pl

from pipelines.pairing import Paired
from pipelines.selection import votes
from pipelines.selection.frames import MAY_BE_LEFT_OUT, PAIRED, Columns, Frames
from pipelines.selection.seeded import seeded_order

READS = Columns(
    responses=frozenset(("has_text", "refused", "score", "text_hash")), judgments=votes.READS
)
"""What is read here, and by every pairing that makes its pairs here."""

PLAIN_REASONS = {
    "all_tied": pl.col("lowest") == pl.col("highest"),
    "chosen_refused": (pl.col("highest_choosable") <= pl.col("lowest")).fill_null(True),
}
"""Why a prompt with two different scored texts may have no duel; see `_prompts`."""


def scored_responses(frames: Frames, choose_refusals: bool) -> pl.DataFrame:
    """The responses that can be paired by score: those with a text and a score.

    Columns: `prompt`, `response`, `score`, `text_hash`, and `choosable`, which is false for
    refusals unless they may be chosen.
    """
    refused = pl.lit(False) if choose_refusals else pl.col("refused").fill_null(False)
    return frames.responses.filter(pl.col("has_text") & pl.col("score").is_not_null()).select(
        "prompt", "response", "score", "text_hash", choosable=~refused
    )


def duels(winners: pl.DataFrame, losers: pl.DataFrame) -> pl.DataFrame:
    """Every choosable winner against every loser of its prompt with a lower score, another text."""
    chosen = winners.filter("choosable").select(
        "prompt", chosen="response", score_chosen="score", chosen_text="text_hash"
    )
    rejected = losers.select(
        "prompt", rejected="response", score_rejected="score", rejected_text="text_hash"
    )
    return (
        chosen.join(rejected, on="prompt", how="inner")
        .filter(
            pl.col("score_chosen") > pl.col("score_rejected"),
            pl.col("chosen_text") != pl.col("rejected_text"),
        )
        .drop("chosen_text", "rejected_text")
    )


def best(scored: pl.DataFrame) -> pl.DataFrame:
    """The highest choosable response of each prompt; of several, the one with the smallest id."""
    return _lowest(scored.filter("choosable"), -pl.col("score"), "response")


def against_worst(duels: pl.DataFrame) -> pl.DataFrame:
    """The duel of each prompt with the lowest loser; of several, the one with the smallest id."""
    return _lowest(duels, pl.col("score_rejected"), "rejected")


def _lowest(rows: pl.DataFrame, by: pl.Expr, number: str) -> pl.DataFrame:
    """The row of each prompt with the lowest value; of several, the one with the smallest number.

    Rows mostly come in the order of their numbers: then nothing is sorted.
    """
    rows = _in_order(rows, number)
    prompt, values = rows["prompt"].to_numpy(), rows.select(by).to_series().to_numpy()
    first = np.flatnonzero(np.diff(prompt, prepend=prompt[:1] + 1))
    group = np.repeat(np.arange(len(first)), np.diff(first, append=len(prompt)))
    lowest = np.flatnonzero(values == np.minimum.reduceat(values, first)[group])
    return rows[lowest[np.diff(group[lowest], prepend=-1) > 0]]


def _in_order(rows: pl.DataFrame, number: str) -> pl.DataFrame:
    """`rows` sorted by prompt and `number`."""
    key = rows["prompt"].to_numpy().astype(np.uint64) << 32 | rows[number].to_numpy()
    return rows if (key[1:] >= key[:-1]).all() else rows[np.argsort(key)]


def first_of_each(in_order: pl.DataFrame, *keys: str) -> pl.DataFrame:
    """The first of each run of rows with equal `keys`, which lie together."""
    changed = pl.any_horizontal(pl.col(key) != pl.col(key).shift() for key in keys)
    return in_order.filter(changed.fill_null(True))


def capped(
    frames: Frames, pairs: pl.DataFrame, most: int | None, seed: int, purpose: str
) -> pl.DataFrame:
    """At most `most` pairs of each prompt, by a seeded draw; all of them without a bound."""
    if most is None:
        return pairs
    ids = frames.responses.select("response", "response_id")
    for side in ("chosen", "rejected"):
        pairs = pairs.join(ids.rename({"response": side, "response_id": f"{side}_id"}), on=side)
    both = pairs.select(pl.concat_str("chosen_id", "rejected_id")).to_series()
    drawn = pairs.with_columns(seeded_order(both, seed, purpose).alias("draw"))
    in_order = drawn.sort("prompt", "draw", "chosen", "rejected")
    least = in_order.group_by("prompt", maintain_order=True).head(most)
    return least.drop("draw", "chosen_id", "rejected_id")


def paired(
    frames: Frames,
    scored: pl.DataFrame,
    pairs: pl.DataFrame,
    reasons: dict[str, pl.Expr] = PLAIN_REASONS,
) -> Paired:
    """What a pairing by score returns: `pairs` with their votes, and why prompts have none.

    `reasons` are tried in order, after those that every such pairing shares.
    """
    no_comparison = pairs.with_columns(comparison_id=pl.lit(None, dtype=pl.String))
    counted = votes.count_votes(no_comparison, frames)
    shared = {
        "fewer_than_two_responses": pl.col("n_responses") < 2,
        "fewer_than_two_texts": pl.col("n_texts") < 2,
        "fewer_than_two_scored": pl.col("n_scored") < 2,
        "identical_texts": pl.col("n_different") < 2,
    }
    unpaired = frames.prompts.select("prompt").join(pairs, on="prompt", how="anti")
    return Paired(
        pairs=counted.select(pl.col(name) for name in PAIRED if name not in MAY_BE_LEFT_OUT),
        # for what is left, the only higher and lower scores are those of one and the same text
        unpaired_prompts=_with_facts(unpaired, frames.responses, scored).select(
            "prompt", reason=first_reason(shared | reasons).fill_null("identical_texts")
        ),
    )


def first_reason(reasons: dict[str, pl.Expr]) -> pl.Expr:
    """The first reason whose expression holds; null where none does."""
    return pl.coalesce(pl.when(holds).then(pl.lit(why)) for why, holds in reasons.items())


def _with_facts(
    prompts: pl.DataFrame, responses: pl.DataFrame, scored: pl.DataFrame
) -> pl.DataFrame:
    """`prompts` with what decides why they have no pair."""
    responses, scored = (
        table.join(prompts, on="prompt", how="semi") for table in (responses, scored)
    )
    counts = responses.group_by("prompt").agg(
        n_responses=pl.len(), n_texts=pl.col("has_text").sum()
    )
    scores = scored.group_by("prompt").agg(
        n_scored=pl.len(),
        n_different=pl.col("text_hash").n_unique(),
        lowest=pl.col("score").min(),
        highest=pl.col("score").max(),
        highest_choosable=pl.col("score").filter("choosable").max(),
    )
    return (
        prompts.join(counts, on="prompt", how="left")
        .join(scores, on="prompt", how="left")
        .with_columns(pl.col("n_responses", "n_texts", "n_scored", "n_different").fill_null(0))
    )
