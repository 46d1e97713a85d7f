"""Neighbours in the ranking: each score over the next lower one."""

from typing import ClassVar

import polars as pl

from pipelines.pairing import Paired, Pairing
from pipelines.selection.duels import READS, first_of_each, paired, scored_responses
from pipelines.selection.frames import Columns, Frames


class Ranked(Pairing):
    """Adjacent distinct scores: at most one pair fewer than a prompt has distinct scores.

    Of several responses with one score, the one with the smallest id stands for all; one that
    may be chosen goes before a refusal.
    """

    reads: ClassVar[Columns] = READS

    def pair(self, frames: Frames, seed: int) -> Paired:
        """Neighbours of equal text, or with a refusal above, make no pair."""
        scored = scored_responses(frames, self.choose_refusals)
        highest_first = scored.sort(
            "prompt", "score", "choosable", "response", descending=[False, True, True, False]
        )
        ranks = first_of_each(highest_first, "prompt", "score")
        below = pl.col("response", "score", "text_hash").shift(-1).over("prompt")
        pairs = ranks.with_columns(below.name.suffix("_below")).filter(
            pl.col("choosable"), pl.col("text_hash") != pl.col("text_hash_below")
        )
        return paired(frames, scored, pairs.select(_COLUMNS))


_COLUMNS = (
    pl.col("prompt"),
    pl.col("response").alias("chosen"),
    pl.col("response_below").alias("rejected"),
    pl.col("score").alias("score_chosen"),
    pl.col("score_below").alias("score_rejected"),
)
