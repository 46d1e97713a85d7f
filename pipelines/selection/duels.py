"""Duels: two responses to one prompt of which one scores higher. Pairings choose among them.

scored_responses ─> duels(winners, losers) ─> a pairing's choice ─> paired
"""

import polars as pl

from pipelines.pairing import Paired
from pipelines.selection.frames import PAIRED, Frames
from pipelines.selection.seeded import seeded_order
from pipelines.selection.votes import count_votes

PLAIN_REASONS = {
    "all_tied": pl.col("lowest") == pl.col("highest"),
    "chosen_refused": (pl.col("highest_choosable") <= pl.col("lowest")).fill_null(True),
}
"""Why a prompt with two different scored texts may have no duel; see `_prompts`."""


def scored_responses(frames: Frames, choose_refusals: bool) -> pl.DataFrame:
    """The responses that can be paired by score: those with a text and a score.

    Columns: `prompt_id`, `response_id`, `score`, `text_hash`, and `choosable`, which is false for
    refusals unless they may be chosen.
    """
    refused = pl.lit(False) if choose_refusals else pl.col("refused").fill_null(False)
    return frames.responses.filter(pl.col("has_text") & pl.col("score").is_not_null()).select(
        "prompt_id", "response_id", "score", "text_hash", choosable=~refused
    )


def duels(winners: pl.DataFrame, losers: pl.DataFrame) -> pl.DataFrame:
    """Every choosable winner against every loser of its prompt with a lower score, another text."""
    chosen = winners.filter("choosable").select(
        "prompt_id",
        chosen_response_id="response_id",
        score_chosen="score",
        chosen_text="text_hash",
    )
    rejected = losers.select(
        "prompt_id",
        rejected_response_id="response_id",
        score_rejected="score",
        rejected_text="text_hash",
    )
    return (
        chosen.join(rejected, on="prompt_id", how="inner")
        .filter(
            pl.col("score_chosen") > pl.col("score_rejected"),
            pl.col("chosen_text") != pl.col("rejected_text"),
        )
        .drop("chosen_text", "rejected_text")
    )


def best(scored: pl.DataFrame) -> pl.DataFrame:
    """The highest choosable response of each prompt; of several, the one with the smallest id."""
    ranked = scored.filter("choosable").sort(
        "prompt_id", "score", "response_id", descending=[False, True, False]
    )
    return ranked.unique("prompt_id", keep="first", maintain_order=True)


def capped(pairs: pl.DataFrame, most: int | None, seed: int, purpose: str) -> pl.DataFrame:
    """At most `most` pairs of each prompt, by a seeded draw; all of them without a bound."""
    if most is None:
        return pairs
    ids = pairs.select(pl.concat_str("chosen_response_id", "rejected_response_id"))
    drawn = pairs.with_columns(seeded_order(ids.to_series(), seed, purpose).alias("draw"))
    in_order = drawn.sort("prompt_id", "draw", "chosen_response_id", "rejected_response_id")
    return in_order.group_by("prompt_id", maintain_order=True).head(most).drop("draw")


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
    counted = count_votes(no_comparison, frames.judgments)
    shared = {
        "fewer_than_two_responses": pl.col("n_responses") < 2,
        "fewer_than_two_texts": pl.col("n_texts") < 2,
        "fewer_than_two_scored": pl.col("n_scored") < 2,
        "identical_texts": pl.col("n_different") < 2,
    }
    unpaired = _prompts(frames, scored).join(pairs, on="prompt_id", how="anti")
    return Paired(
        pairs=counted.select(*PAIRED),
        # for what is left, the only higher and lower scores are those of one and the same text
        unpaired_prompts=unpaired.select(
            "prompt_id", reason=first_reason(shared | reasons).fill_null("identical_texts")
        ),
    )


def first_reason(reasons: dict[str, pl.Expr]) -> pl.Expr:
    """The first reason whose expression holds; null where none does."""
    return pl.coalesce(pl.when(holds).then(pl.lit(why)) for why, holds in reasons.items())


def _prompts(frames: Frames, scored: pl.DataFrame) -> pl.DataFrame:
    """Each prompt with what decides why it has no pair."""
    responses = frames.responses.group_by("prompt_id").agg(
        n_responses=pl.len(), n_texts=pl.col("has_text").sum()
    )
    scores = scored.group_by("prompt_id").agg(
        n_scored=pl.len(),
        n_different=pl.col("text_hash").n_unique(),
        lowest=pl.col("score").min(),
        highest=pl.col("score").max(),
        highest_choosable=pl.col("score").filter("choosable").max(),
    )
    return (
        frames.prompts.select("prompt_id")
        .join(responses, on="prompt_id", how="left")
        .join(scores, on="prompt_id", how="left")
        .with_columns(pl.col("n_responses", "n_texts", "n_scored", "n_different").fill_null(0))
    )
