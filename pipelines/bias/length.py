"""Length: whether a judge favours the longer answer.

Of two good answers the longer one may well be the better; but a judge that decides by length
teaches a model to be long-winded. Lengths are characters. The three figures are those of `traits.py`; methods: length-controlled
AlpacaEval (arXiv 2404.04475) for why it matters.
"""

import math
from typing import NamedTuple

import polars as pl

from pipelines.bias.figure import Figure
from pipelines.bias.length_control import controlled
from pipelines.bias.traits import margin_correlation, more_wins, score_correlation

MOST = 0.65
"""A longer answer that wins more often than this, or less often than 1 less this, is alarming."""

LEAST_SPREAD = 0.3
"""A spread below this, about a quarter more or less, says nothing of twice the length."""


class Length(NamedTuple):
    """What length does to one judge."""

    longer_wins: Figure | None
    margin_correlation: Figure | None
    score_correlation: Figure | None
    """None for a judge of comparisons."""
    slope: float | None
    """Score units by which an answer of twice the length is scored higher (`length_control`)."""
    controlled_correlation: Figure | None
    """The score correlation that is left with `[score] control = "length"`."""
    spread: float | None
    """Standard deviation of the log2 of the characters within prompts, over the answers scored:
    1 where an answer is half or twice as long as another. None where no prompt has two."""

    @property
    def varies(self) -> bool:
        """Whether lengths differ enough for `slope` to be no extrapolation."""
        return self.spread is not None and self.spread >= LEAST_SPREAD


def length(duels: pl.DataFrame, ratings: pl.DataFrame, n_chars: pl.Series) -> Length:
    """The figures of one judge; `n_chars` by the number of the answer."""
    own = controlled(ratings, n_chars)
    return Length(
        longer_wins=more_wins(duels, n_chars),
        margin_correlation=margin_correlation(duels, n_chars),
        score_correlation=score_correlation(ratings, n_chars),
        slope=own.slope,
        controlled_correlation=score_correlation(own.ratings, n_chars),
        spread=_spread(ratings, n_chars),
    )


def _spread(ratings: pl.DataFrame, n_chars: pl.Series) -> float | None:
    """Root of the sum of squares about the prompts' means / (answers - prompts)."""
    log = n_chars.gather(ratings["response"]).clip(1).log(2)
    known = ratings.select("prompt", log=log).drop_nulls()
    freedom = known.height - known["prompt"].n_unique()
    about = known.select(pl.col("log") - pl.col("log").mean().over("prompt")).to_series()
    return math.sqrt(float((about * about).sum()) / freedom) if freedom else None
