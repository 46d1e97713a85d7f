"""A minority that refuses: some votes for the rejected response are enough to drop a pair."""

from typing import ClassVar

import polars as pl
from pydantic import Field

from pipelines.filter import Filter, On


class Veto(Filter):
    """Drops a pair that some judge, sample or annotator would turn around, whatever most say.

    For a veto on single responses, [score] combine = "min" with the filter `min_score`: then the
    strictest judge's score is the response's.
    """

    on: ClassVar[On] = "pairs"

    votes: int = Field(default=1, ge=1)
    """Votes for the rejected response that are enough."""
    ties: bool = False
    """Whether a vote for a tie counts as one against the pair, too."""

    def drops(self) -> dict[str, pl.Expr]:
        """A pair without votes is kept."""
        against = pl.col("n_votes_rejected")
        if self.ties:
            against = pl.col("n_votes") - pl.col("n_votes_chosen")
        return {"vetoed": against >= self.votes}
