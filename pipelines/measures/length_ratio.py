"""Length ratio: how much longer the chosen answer of a pair is than the rejected one."""

from typing import ClassVar

import polars as pl

from pipelines.measure import Measure
from pipelines.selection.frames import Columns, Frames


class LengthRatio(Measure):
    """Characters of the chosen answer / characters of the rejected one: above 1, it is longer."""

    reads: ClassVar[Columns] = Columns(pairs=frozenset(("chosen_n_chars", "rejected_n_chars")))

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A pair with an answer of unknown or no length is not measured."""
        ratio = pl.col("chosen_n_chars") / pl.col("rejected_n_chars")
        measured = pairs.select("pair_id", value=ratio, n_obs=pl.lit(1, pl.Int64))
        return measured.filter(pl.col("value").is_finite())
