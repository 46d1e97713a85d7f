"""Levenshtein distance: how many characters the two answers of a pair are apart."""

from typing import ClassVar

import numpy as np
import polars as pl

from pipelines.extras import missing
from pipelines.measure import Measure
from pipelines.part import Where
from pipelines.selection.frames import Columns, Frames, PairText


class Levenshtein(Measure):
    """Characters to insert, delete or replace to make one answer of the other; 0: the same.

    The contrastiveness of a pair (CLAIR, arXiv 2408.06266): the lower it is, the more minimal is
    the edit. `edit_distance` counts tokens, as a share. By RapidFuzz: needs
    `pip install "pairwright[risks]"`.
    """

    reads: ClassVar[Columns] = Columns()
    texts: ClassVar[frozenset[PairText]] = frozenset(("chosen_text", "rejected_text"))

    def check(self, where: Where) -> None:
        """Raises RecipeError where RapidFuzz is not installed."""
        if lacking := missing("risks", "rapidfuzz"):
            raise where.error(lacking, "kind")

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A pair whose texts are not both known is not measured."""
        from rapidfuzz.distance import Levenshtein as Distance
        from rapidfuzz.process import cpdist

        known = pairs.select("pair_id", "chosen_text", "rejected_text").drop_nulls()
        chosen, rejected = (known[f"{side}_text"].to_list() for side in ("chosen", "rejected"))
        far = cpdist(chosen, rejected, scorer=Distance.distance, dtype=np.int64)
        return known.select(
            "pair_id", value=pl.Series(far, dtype=pl.Float64), n_obs=pl.lit(1, pl.Int64)
        )
