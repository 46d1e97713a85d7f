"""Features: a text as numbers that say how it looks, and nothing of whether it is right.

Eight counts (characters, words, lines, structure), on a logarithmic scale and standardised; and how
often each word, two words in a row and three characters in a row occur, hashed into `BUCKETS`.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.bias.markdown import density
from pipelines.risks.words import hashes_of, words

BUCKETS = 1024
"""Columns that words and characters are hashed into: some share one."""
SHOWN = 8192
"""Characters of a text, from its beginning, whose words and characters are counted."""
TEXTS_AT_ONCE = 256

Matrix = npt.NDArray[np.float64]

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


def features(texts: pl.Series) -> Matrix:
    """A row for each text: the standardised counts, then the hashed occurrences, of length 1."""
    table = pl.DataFrame({"text": texts.fill_null("")})
    counts = table.select(expr.log1p().alias(name) for name, expr in _COUNTS.items()).to_numpy()
    spread = counts.std(axis=0)
    counts = (counts - counts.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    occurrences = [_occurrences(some) for some in table.iter_slices(TEXTS_AT_ONCE)]
    return np.hstack([counts / np.sqrt(len(_COUNTS)), np.vstack(occurrences)])


def _occurrences(table: pl.DataFrame) -> Matrix:
    """ln(1 + count) of each bucket."""
    head = pl.col("text").str.head(SHOWN)
    word = words(head)
    both = word.list.eval(pl.concat_str(pl.element(), pl.element().shift(-1), separator=" "))
    three = head.str.to_lowercase().str.extract_all(r"(?s).")
    after = [pl.element().shift(-by) for by in (1, 2)]
    three = three.list.eval(pl.concat_str(pl.lit("\0"), pl.element(), *after))
    rows = table.with_row_index("row").select("row", term=pl.concat_list(word, both, three))
    terms = rows.filter(pl.col("term").list.len() > 0).explode("term").drop_nulls()
    counts = terms.group_by("row", "term").len()
    buckets = (hashes_of(counts["term"]) % BUCKETS).cast(pl.Int64)
    places = counts["row"].cast(pl.Int64) * BUCKETS + buckets
    shape = (table.height, BUCKETS)
    found = np.bincount(places.to_numpy(), counts["len"].to_numpy(), shape[0] * shape[1])
    matrix = np.log1p(found.reshape(shape))
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.where(lengths > 0, lengths, 1.0))
