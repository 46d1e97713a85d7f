"""Overlap: which texts hold a run of words that stands in an evaluation set too.

Runs are kept as 64-bit hashes, eight bytes each: of a billion runs held against a billion, one is
taken for another with a probability of one in twenty. No library does this as it should be done:
scikit-learn's `HashingVectorizer` hashes to 31 bits, which would drop one clean prompt in ten against
a million runs, and `CountVectorizer` keeps every run as a string.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.risks.words import hashes_of, words

Hashes = npt.NDArray[np.uint64]
BASE = np.uint64(0x9E3779B97F4A7C15)
"""Odd, so that no word of a run drops out of its hash."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of words of some evaluation texts."""

    n: int
    """Words of a run."""
    least: int
    """Words that a text of fewer than `n` must have to be looked for within others."""
    hashes: dict[int, Hashes]
    """Words -> hashes, sorted: of all runs of `n` words, and of the shorter texts as a whole."""

    def overlap(self, texts: pl.Series) -> pl.Series:
        """Whether each text holds one of the runs; a run of fewer than `least` must be all of it."""
        hashed, rows, lengths = _hashed(texts)
        found = np.zeros(len(texts), dtype=np.bool_)
        for length, known in self.hashes.items():
            runs, starts = _runs(hashed, rows, length)
            own = rows[starts]
            if length < min(self.least, self.n):
                whole = lengths[own] == length
                runs, own = runs[whole], own[whole]
            found[own[_among(runs, known)]] = True
        return pl.Series(found)


def runs_of(batches: Iterable[pl.Series], n: int, least: int) -> Runs:
    """The runs of evaluation texts, which come in batches."""
    hashes: dict[int, Hashes] = {}
    for texts in batches:
        hashed, rows, lengths = _hashed(texts)
        for length in range(1, n + 1):
            runs, starts = _runs(hashed, rows, length)
            if length < n:
                runs = runs[lengths[rows[starts]] == length]
            if len(runs):
                hashes[length] = np.union1d(hashes.get(length, runs[:0]), runs)
    return Runs(n, least, hashes)


def _hashed(texts: pl.Series) -> tuple[Hashes, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The hash of each word of all texts, the text that it is of, and the words of each text."""
    table = texts.to_frame("text").select(word=words(pl.col("text").fill_null("")))
    lengths = table["word"].list.len().cast(pl.Int64).to_numpy()
    every = table.filter(pl.col("word").list.len() > 0).explode("word")["word"]
    return hashes_of(every).to_numpy(), np.repeat(np.arange(len(texts)), lengths), lengths


def _runs(
    hashed: Hashes, rows: npt.NDArray[np.int64], length: int
) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """The hash of each run of so many words within one text, and where it starts."""
    starts = np.arange(max(len(hashed) - length + 1, 0))
    starts = starts[rows[starts] == rows[starts + length - 1]]
    runs = np.zeros(len(starts), dtype=np.uint64)
    for place in range(length):
        runs = runs * BASE + hashed[starts + place]
    return runs, starts


def _among(runs: Hashes, known: Hashes) -> npt.NDArray[np.bool_]:
    """Which of `runs` are in `known`, which is sorted and not empty."""
    places = np.minimum(np.searchsorted(known, runs), len(known) - 1)
    return np.asarray(known[places] == runs)
