"""Length: whether a judge favours the longer answer.

Of two good answers the longer one may well be the better; but a judge that decides by length
teaches a model to be long-winded. Lengths are characters. The three figures are those of `traits.py`; methods: length-controlled
AlpacaEval (arXiv 2404.04475) for why it matters.
"""

from typing import NamedTuple

import polars as pl

from pipelines.bias.figure import Figure
from pipelines.bias.length_control import controlled
from pipelines.bias.traits import margin_correlation, more_wins, score_correlation

MOST = 0.65
"""A longer answer that wins more often than this, or less often than 1 less this, is alarming."""


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


def length(duels: pl.DataFrame, ratings: pl.DataFrame, n_chars: pl.Series) -> Length:
    """The figures of one judge; `n_chars` by the number of the answer."""
    own = controlled(ratings, n_chars)
    return Length(
        longer_wins=more_wins(duels, n_chars),
        margin_correlation=margin_correlation(duels, n_chars),
        score_correlation=score_correlation(ratings, n_chars),
        slope=own.slope,
        controlled_correlation=score_correlation(own.ratings, n_chars),
    )
