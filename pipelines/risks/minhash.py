"""MinHash: a short signature of a text, from which the likeness of two texts can be told.

The likeness (Jaccard's) of two texts is the share of their shingles, five characters in a row, that
both have. Of each text and each of 128 fixed permutations of hashes datasketch finds the smallest;
the share of permutations in which two texts agree estimates their likeness (Broder 1997). The lowest
eight bits of each are kept (Li and König 2010), by which two that differ agree once in 256 times.
"""

from collections.abc import Iterator
from itertools import islice
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

SHINGLE = 5
"""Characters in a row, in NFKC and lower case, white space folded."""
FUNCTIONS = 128
SEED = 1
"""Of the permutations, which datasketch draws from a stream that NumPy promises to keep."""
SHINGLES_AT_ONCE = 8192
"""A shingle takes four bytes for each permutation."""

Signatures = npt.NDArray[np.uint8]
"""A row of `FUNCTIONS` bytes for each text."""


def signatures(texts: pl.Series) -> Signatures:
    """The signature of each text: the same on every machine."""
    from datasketch import MinHash

    fresh = MinHash(FUNCTIONS, SEED, hashfunc=crc32, scheme="affine32")
    found = np.empty((len(texts), FUNCTIONS), dtype=np.uint8)
    for row, text in enumerate(_folded(texts)):
        sketch, shingles = fresh.copy(), iter(_shingles(text))
        while some := list(islice(shingles, SHINGLES_AT_ONCE)):
            sketch.update_batch(some)
        found[row] = sketch.hashvalues & 255
    return found


def likeness(one: Signatures, other: Signatures) -> npt.NDArray[np.float64]:
    """The estimated likeness of rows: 1 for equal ones, about 0 for those with nothing in common.

    >>> one, like, unlike = signatures(pl.Series(["one and two and three", "One and two and  three", "4"]))
    >>> float(likeness(one, like)), float(likeness(one, unlike)) < 0.1
    (1.0, True)
    """
    by_chance = 1 / 256
    agreeing = (one == other).mean(axis=-1)
    return np.asarray((agreeing - by_chance) / (1 - by_chance))[()]


def _folded(texts: pl.Series) -> Iterator[str]:
    """Ended by so much that a text shorter than a shingle has one as well."""
    folded = texts.fill_null("").str.normalize("NFKC").str.to_lowercase()
    folded = folded.str.replace_all(r"\s+", " ").str.strip_chars(" ")
    return iter(folded + "\0" * SHINGLE)


def _shingles(text: str) -> set[bytes]:
    """At least one."""
    return {text[at : at + SHINGLE].encode() for at in range(len(text) - SHINGLE + 1)}
