"""Edit distance: how different the two answers of a pair are."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.measure import Measure
from pipelines.risks.edit import edit_distance
from pipelines.risks.words import tokens
from pipelines.selection.frames import Columns, Frames, PairText


class EditDistance(Measure):
    """Edit distance of the answers' tokens / the longer answer's tokens: 0 the same, 1 all different.

    Training on nearly equal answers can make both of them less likely; the authors of CHES
    (arXiv 2410.08847) compare their score with this cheaper one. Tokens are words and punctuation
    marks, and each letter in scripts without spaces.
    """

    reads: ClassVar[Columns] = Columns()
    texts: ClassVar[frozenset[PairText]] = frozenset(("chosen_text", "rejected_text"))

    max_tokens: int = Field(default=4096, ge=1)
    """Tokens of each answer that are compared, from its beginning."""

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """A pair whose texts are not both known is not measured."""
        known = pairs.select("pair_id", "chosen_text", "rejected_text").drop_nulls()
        distances, lengths = [], []
        for some in known.iter_slices(1024):  # lists of tokens take many times a text's memory
            sides = some.select(self._tokens("chosen_text"), self._tokens("rejected_text"))
            for chosen, rejected in sides.iter_rows():
                distances.append(edit_distance(chosen, rejected))
                lengths.append(max(len(chosen), len(rejected)))
        found = known.select("pair_id", n_obs=pl.Series(lengths, dtype=pl.Int64))
        far = pl.Series(distances, dtype=pl.Int64) / pl.max_horizontal("n_obs", 1)
        return found.select("pair_id", value=far, n_obs="n_obs")

    def _tokens(self, text: str) -> pl.Expr:
        return tokens(pl.col(text)).list.head(self.max_tokens)
