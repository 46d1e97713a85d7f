"""Facts about a text that selection needs in the text's place: its length and two hashes."""

import hashlib
import unicodedata

from schemas.canonical import ID_LENGTH


def normalised(text: str) -> str:
    r"""The text in NFKC with runs of white space folded to one space: case and marks are kept.

    >>> normalised("  two\u00a0 words\n")
    'two words'
    """
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(folded.split())


def text_hash(text: str | None) -> str | None:
    """A hash of the exact text; None for None."""
    if text is None:
        return None
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:ID_LENGTH]


def norm_hash(text: str | None) -> str | None:
    """A hash of the normalised text; None where nothing is left of it.

    >>> norm_hash(" a  b") == norm_hash("a b"), norm_hash(" ")
    (True, None)
    """
    return text_hash(normalised(text) or None) if text is not None else None
