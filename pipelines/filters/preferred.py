"""How sure the votes make that the chosen response is the one that most would prefer."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.filter import Filter, On
from pipelines.part import Threshold, micro


class Preferred(Filter):
    """Keeps pairs by P(most voters prefer the chosen), from a Beta(1/2, 1/2) before the votes.

    A share of votes says nothing of their number: 1 of 1 gives 0.818, 3 of 3 give 0.967, 6 of 8
    give 0.923. Votes count as independent: many samples of one judge make it too sure.
    """

    on: ClassVar[On] = "pairs"

    min: Threshold = Field(ge=0, le=1)
    """Smallest probability that is kept, in [0, 1]."""

    def drops(self) -> dict[str, pl.Expr]:
        """Pairs without votes have that reason alone."""
        probability = pl.col("p_preferred")
        return {
            "no_votes": probability.is_null(),
            "not_sure_enough": probability < micro(self.min),
        }
