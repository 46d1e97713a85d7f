"""Neighbours in the ranking: each score over the next lower one."""

import polars as pl

from pipelines.pairing import Paired, Pairing
from pipelines.selection.duels import paired, scored_responses
from pipelines.selection.frames import Frames


class Ranked(Pairing):
    """Adjacent distinct scores: at most one pair fewer than a prompt has distinct scores.

    Of several responses with one score, the one with the smallest id stands for all; one that
    may be chosen goes before a refusal.
    """

    def pair(self, frames: Frames, seed: int) -> Paired:
        """Neighbours of equal text, or with a refusal above, make no pair."""
        scored = scored_responses(frames, self.choose_refusals)
        ranks = scored.sort(
            "prompt_id", "score", "choosable", "response_id", descending=[False, True, True, False]
        ).unique(["prompt_id", "score"], keep="first", maintain_order=True)
        below = pl.col("response_id", "score", "text_hash").shift(-1).over("prompt_id")
        pairs = ranks.with_columns(below.name.suffix("_below")).filter(
            pl.col("choosable"), pl.col("text_hash") != pl.col("text_hash_below")
        )
        return paired(frames, scored, pairs.select(_COLUMNS))


_COLUMNS = (
    pl.col("prompt_id"),
    pl.col("response_id").alias("chosen_response_id"),
    pl.col("response_id_below").alias("rejected_response_id"),
    pl.col("score").alias("score_chosen"),
    pl.col("score_below").alias("score_rejected"),
)
