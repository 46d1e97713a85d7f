"""MinHash: a short signature of a text, from which the likeness of two texts can be told.

The likeness (Jaccard's) of two texts is the share of their shingles, five characters in a row, that
both have. Of each text and each of 128 fixed hash functions the smallest hash of a shingle is
taken; the share of functions in which two texts agree estimates their likeness (Broder 1997). Eight
bits of each are kept (Li and König 2010), by which two that differ agree once in 256 times.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from schemas.canonical import draw_integer

SHINGLE = 5
"""Characters in a row, in NFKC and lower case, white space folded."""
FUNCTIONS = 128
TEXTS_AT_ONCE = 256

Hashes = npt.NDArray[np.uint64]
Signatures = npt.NDArray[np.uint8]
"""A row of `FUNCTIONS` bytes for each text."""

BASE = np.uint64(0x9E3779B97F4A7C15)
_FACTORS, _TERMS = (
    np.array([draw_integer("minhash", name, of) for of in range(FUNCTIONS)], dtype=np.uint64)
    for name in ("factor", "term")
)
_FACTORS |= np.uint64(1)  # an odd factor takes no two hashes to one


def signatures(texts: pl.Series) -> Signatures:
    """The signature of each text: the same on every machine."""
    found = np.empty((len(texts), FUNCTIONS), dtype=np.uint8)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        shingles, starts = _shingles(texts[start : start + TEXTS_AT_ONCE])
        for of in range(FUNCTIONS):
            least = np.minimum.reduceat(shingles * _FACTORS[of] + _TERMS[of], starts)
            found[start : start + len(starts), of] = (least >> np.uint64(24)).astype(np.uint8)
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


def _shingles(texts: pl.Series) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """The hashes of all shingles, text by text, and where each text's begin: it has at least one."""
    folded = texts.fill_null("").str.normalize("NFKC").str.to_lowercase()
    folded = folded.str.replace_all(r"\s+", " ").str.strip_chars(" ")
    ended = folded + "\0" * SHINGLE  # so that a text shorter than a shingle has one as well
    characters = np.frombuffer("".join(ended).encode("utf-32-le"), dtype=np.uint32)
    lengths = ended.str.len_chars().cast(pl.Int64).to_numpy()
    mixed = _mixed(characters.astype(np.uint64))
    n_shingles = lengths - SHINGLE + 1
    starts = np.cumsum(n_shingles) - n_shingles
    firsts = np.arange(n_shingles.sum()) + np.repeat(
        np.arange(len(texts)) * (SHINGLE - 1), n_shingles
    )
    hashes = np.zeros(len(firsts), dtype=np.uint64)
    for place in range(SHINGLE):
        hashes = hashes * BASE + mixed[firsts + place]
    return _mixed(hashes), starts


def _mixed(values: Hashes) -> Hashes:
    """Each bit of a value decides each of its hash: the finaliser of SplitMix64."""
    values = values + BASE
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
