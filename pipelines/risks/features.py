"""Features: a text as numbers that say how it looks, and nothing of whether it is right.

Eight counts (characters, words, lines, structure), on a logarithmic scale and standardised; and how
often each word, two words in a row and three characters in a row occur, by TF-IDF, of unit length.
"""

from typing import TYPE_CHECKING

import polars as pl

from pipelines.bias.markdown import density
from pipelines.extras import without

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SHOWN = 8192
"""Characters of a text, from its beginning, whose words and characters are counted."""
END = "\0\0\0"
"""Ends each text, so that none is without a word and three characters."""
_OCCURRENCES = {"max_features": 20_000, "sublinear_tf": True}

_COUNTS = {
    "characters": pl.col("text").str.len_chars(),
    "words": pl.col("text").str.count_matches(r"\w+"),
    "lines": pl.col("text").str.count_matches(r"(?m)^[^\n]*\S"),
    "bullets": pl.col("text").str.count_matches(r"(?m)^\s*(?:[-*+]|\d{1,3}[.)])[ \t]"),
    "headings": pl.col("text").str.count_matches(r"(?m)^\s*#{1,6}[ \t]"),
    "bold": pl.col("text").str.count_matches(r"\*\*\S"),
    "code": pl.col("text").str.count_matches(r"```|`\S"),
    "structured": 100 * density(pl.col("text")).fill_null(0),
}


def features(texts: pl.Series) -> "csr_matrix":
    """A row for each text: the counts, words and characters, of about equal weight."""
    with without("pandas"):  # which would take a third of the time
        from scipy.sparse import csr_matrix, hstack
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import StandardScaler

    table = pl.DataFrame({"text": texts.fill_null("")})
    counts = table.select(expr.log1p().alias(name) for name, expr in _COUNTS.items()).to_numpy()
    looks = StandardScaler().fit_transform(counts) / len(_COUNTS) ** 0.5
    ended = (table["text"].str.head(SHOWN) + END).to_list()
    occurrences = (
        TfidfVectorizer(**_OCCURRENCES, ngram_range=(1, 2), token_pattern=rf"\w+|{END}"),
        TfidfVectorizer(**_OCCURRENCES, ngram_range=(3, 3), analyzer="char"),
    )
    return hstack(
        [csr_matrix(looks), *(kind.fit_transform(ended) for kind in occurrences)], format="csr"
    )
