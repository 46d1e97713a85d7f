"""Edit distance: how different the two answers of a pair are."""

from typing import ClassVar

import numpy as np
import polars as pl
from pydantic import Field

from pipelines.extras import missing
from pipelines.measure import Measure
from pipelines.part import Where
from pipelines.risks.words import tokens
from pipelines.selection.frames import Columns, Frames, PairText


class EditDistance(Measure):
    """Edit distance of the answers' tokens / the longer answer's tokens: 0 the same, 1 all different.

    Levenshtein's, by RapidFuzz: needs `pip install "pairwright[risks]"`. Training on nearly equal
    answers can make both of them less likely; the authors of CHES (arXiv 2410.08847) compare their
    score with this cheaper one. Tokens are words and punctuation marks, and each letter in scripts
    without spaces.
    """

    reads: ClassVar[Columns] = Columns()
    texts: ClassVar[frozenset[PairText]] = frozenset(("chosen_text", "rejected_text"))

    max_tokens: int = Field(default=4096, ge=1)
    """Tokens of each answer that are compared, from its beginning."""

    def check(self, where: Where) -> None:
        """Raises RecipeError where RapidFuzz is not installed."""
        if lacking := missing("risks", "rapidfuzz"):
            raise where.error(lacking, "kind")

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A pair whose texts are not both known is not measured."""
        known = pairs.select("pair_id", "chosen_text", "rejected_text").drop_nulls()
        slices = known.iter_slices(1024)  # lists of tokens take many times a text's memory
        measured = [self._measured(some) for some in slices]
        return pl.concat(measured) if measured else self._measured(known)

    def _measured(self, known: pl.DataFrame) -> pl.DataFrame:
        from rapidfuzz.distance import Levenshtein
        from rapidfuzz.process import cpdist

        sides = known.select(self._tokens("chosen_text"), self._tokens("rejected_text"))
        chosen, rejected = (side.to_list() for side in sides)
        far = cpdist(chosen, rejected, scorer=Levenshtein.normalized_distance, dtype=np.float64)
        longer = pl.max_horizontal(*(pl.Series(side.list.len()) for side in sides))
        return known.select("pair_id", value=pl.Series(far), n_obs=longer.cast(pl.Int64))

    def _tokens(self, text: str) -> pl.Expr:
        return tokens(pl.col(text)).list.head(self.max_tokens)
