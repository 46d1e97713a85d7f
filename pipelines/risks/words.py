r"""Words: what texts are compared by, in any script.

A word is a run of letters, digits and their marks; in scripts that put no spaces between words
(Han, kana, Thai) each letter is one.
"""

import hashlib

import polars as pl

ALONE = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}"
WORD = rf"[{ALONE}]|[\w--[{ALONE}]]+"
TOKEN = rf"{WORD}|[^\w\s]"


def words(text: pl.Expr) -> pl.Expr:
    """The words of a text, in NFKC and lower case.

    >>> texts = pl.DataFrame({"t": ["The cat's 3.5", "你好 World", ""]})
    >>> texts.select(words(pl.col("t"))).to_series().to_list()
    [['the', 'cat', 's', '3', '5'], ['你', '好', 'world'], []]
    """
    return text.str.normalize("NFKC").str.to_lowercase().str.extract_all(WORD)


def tokens(text: pl.Expr) -> pl.Expr:
    """The words and punctuation marks of a text, in NFKC; case is kept.

    >>> pl.DataFrame({"t": ["Well, 'tis."]}).select(tokens(pl.col("t"))).to_series().to_list()
    [['Well', ',', "'", 'tis', '.']]
    """
    return text.str.normalize("NFKC").str.extract_all(TOKEN)


def hashes_of(terms: pl.Series) -> pl.Series:
    """A hash of each term, UInt64: the same on every machine.

    Its 64 bits are the first of the term's BLAKE2b. None for None.

    >>> hashes_of(pl.Series(["a", "b", "a"])).n_unique()
    2
    """
    unique = terms.drop_nulls().unique()
    hashed = pl.Series([_hash(term) for term in unique], dtype=pl.UInt64)
    known = pl.DataFrame({"term": unique, "hash": hashed})
    return terms.to_frame("term").join(known, on="term", how="left", maintain_order="left")["hash"]


def _hash(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8).digest(), "big")
