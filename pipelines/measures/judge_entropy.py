"""Judge entropy: how unsure the votes leave it which response is better."""

from typing import ClassVar

import polars as pl

from pipelines.measure import Measure
from pipelines.selection.frames import Columns, Frames


class JudgeEntropy(Measure):
    """The entropy of the soft label, -p ln p - (1-p) ln(1-p), in nats: more is harder.

    p is `p_chosen`, (k + 1/2) / (m + 1) for k of m votes: ln 2 where the votes are even.
    """

    reads: ClassVar[Columns] = Columns(pairs=frozenset(("p_chosen", "n_votes")))

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A pair without votes is not measured."""
        p = pl.col("p_chosen")
        entropy = -(p * p.log() + (1 - p) * (1 - p).log())
        return pairs.filter(p.is_not_null()).select(
            "pair_id", value=pl.when(p < 1).then(entropy).otherwise(0.0), n_obs="n_votes"
        )
