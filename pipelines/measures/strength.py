"""Strength: the log-odds of the soft label, which some losses regress on."""

from typing import ClassVar

import polars as pl

from pipelines.measure import Measure
from pipelines.selection.frames import Columns, Frames
from pipelines.selection.pairs import SUREST


class Strength(Measure):
    """logit(p) = ln p - ln(1 - p) of `p_chosen`, the smoothed share of votes: less is harder.

    iREPO fits the difference of implicit rewards to it, (Delta - logit p)^2; the
    soft cross-entropy -p ln sigma(Delta) - (1-p) ln sigma(-Delta) has its minimum there too. Votes
    are smoothed, (k + 1/2) / (m + 1), so that it is finite where all of them agree; a search's own
    label may be 1, and counts 0.999.
    """

    reads: ClassVar[Columns] = Columns(pairs=frozenset(("p_chosen", "n_votes")))

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A pair without votes is not measured."""
        p = pl.min_horizontal("p_chosen", SUREST)
        return pairs.filter(pl.col("p_chosen").is_not_null()).select(
            "pair_id", value=p.log() - (1 - p).log(), n_obs="n_votes"
        )
