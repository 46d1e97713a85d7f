"""A column of pairs as a measure: what costs nothing."""

from typing import Any

import polars as pl

from pipelines.errors import nearest
from pipelines.measure import Measure
from pipelines.part import Where
from pipelines.selection.frames import PAIRS, Columns, Frames
from schemas.canonical import MICRO

SCORES = frozenset(("score_chosen", "score_rejected", "score_margin"))
NUMBERS = tuple(name for name, kind in PAIRS.items() if kind in (pl.Int64, pl.Float64))


class Column(Measure):
    """A number that pairs have already, such as their margin or a length."""

    column: str
    """Name of the column: score_margin, score_chosen, chosen_n_chars, p_chosen..."""
    negative: bool = False
    """Whether less of it is harder, as of a margin."""

    @property
    def reads(self) -> Columns:  # type: ignore[override]
        """The column."""
        return Columns(pairs=frozenset((self.column,)))

    def check(self, where: Where) -> None:
        """Raises RecipeError for a column that is no number of pairs."""
        if self.column not in NUMBERS:
            hint = nearest(self.column, NUMBERS)
            raise where.error(f'no number of pairs is called "{self.column}"; {hint}', "column")

    def measure(self, frames: Frames, pairs: pl.DataFrame) -> pl.DataFrame:
        """Scores in score units."""
        value: Any = pl.col(self.column).cast(pl.Float64)
        value = value / MICRO if self.column in SCORES else value
        return pairs.select(
            "pair_id", value=-value if self.negative else value, n_obs=pl.lit(1, pl.Int64)
        ).filter(pl.col("value").is_not_null())
