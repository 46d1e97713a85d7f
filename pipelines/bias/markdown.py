r"""Markdown: whether a judge favours answers that look structured.

The density of an answer is the share of its lines, blank ones aside, that begin as structure of
Markdown (CommonMark and GitHub's tables) or have **bold** words:

    # heading   - bullet   1. number   > quote   | table |   ``` fence   --- rule   **bold**
"""

from typing import NamedTuple

import polars as pl

from pipelines.bias.figure import Figure
from pipelines.bias.traits import more_wins, score_correlation

MOST = 0.65
"""As `length.MOST`."""

LINE = r"(?m)^[^\n]*\S[^\n]*$"
STRUCTURE = (
    r"(?m)^[ \t]*(?:"
    r"#{1,6}[ \t]|[-*+][ \t]|\d{1,3}[.)][ \t]|>|\||```|~~~"
    r"|(?:-[ \t]*){3,}$|(?:\*[ \t]*){3,}$|(?:_[ \t]*){3,}$"
    r"|[^\n]*(?:\*\*\S[^\n]*?\*\*|__\S[^\n]*?__)"
    r")"
)


class Markdown(NamedTuple):
    """What structure does to one judge."""

    denser_wins: Figure | None
    score_correlation: Figure | None
    """None for a judge of comparisons."""


def markdown(duels: pl.DataFrame, ratings: pl.DataFrame, densities: pl.Series) -> Markdown:
    """The figures of one judge; `densities` by the number of the answer."""
    return Markdown(more_wins(duels, densities), score_correlation(ratings, densities))


def density(text: pl.Expr) -> pl.Expr:
    r"""The density of a text, from 0 to 1; null for one that is blank or missing.

    >>> texts = ["# A\n\n- one\n- two\nend", "plain", " ", None, "of **note**\n2*3 - 1\n-5"]
    >>> pl.DataFrame({"t": texts}).select(density(pl.col("t")).round(3)).to_series().to_list()
    [0.75, 0.0, None, None, 0.333]
    """
    lines = text.str.count_matches(LINE)
    structured = text.str.count_matches(STRUCTURE)
    return pl.when(lines > 0).then(structured / lines)
