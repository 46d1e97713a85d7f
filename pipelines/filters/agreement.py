"""How many judges, annotators or samples agree that the chosen response is the better one."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.filter import Filter, On
from pipelines.part import Threshold, micro
from schemas.canonical import MICRO


class Agreement(Filter):
    """Keeps pairs whose votes agree. Ties count as votes, but not for the chosen."""

    on: ClassVar[On] = "pairs"

    min: Threshold = Field(ge=0, le=1)
    """Smallest share of votes for the chosen, in [0, 1]. For two thirds write 0.666: compared
    exactly, 2 of 3 votes lie below 0.667."""
    min_votes: int = Field(default=1, ge=1)
    """Fewest votes; with fewer the pair is dropped."""

    def drops(self) -> dict[str, pl.Expr]:
        """A pair with too few votes has that reason alone."""
        votes, share = pl.col("n_votes"), pl.col("n_votes_chosen") * MICRO
        enough = votes >= self.min_votes
        return {
            "too_few_votes": ~enough,
            "agreement_too_low": enough & (share < micro(self.min) * votes),
        }
